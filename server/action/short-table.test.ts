import assert from "node:assert/strict";
import { test } from "node:test";
import { shortTable } from "./short-table.ts";

interface Row {
  readonly name: string;
  readonly size: number | null;
}
const columns = { Name: ({ name }: Row) => name, Size: ({ size }: Row) => size };

test("rows are a table, and what is not there is a dash", () => {
  const rows = [
    { name: "a", size: 1 },
    { name: "b", size: null },
  ];
  assert.equal(shortTable(columns, rows), "| Name | Size |\n| --- | --- |\n| a | 1 |\n| b | - |");
});

test("a value neither leaves its cell nor fills the chat", () => {
  const [, , row = ""] = shortTable(columns, [{ name: `x | y\n| z | ${"w".repeat(500)}`, size: 1 }]).split("\n");
  assert.match(row, /^\| x \\\| y \\\| z \\\| w+\.\.\. \| 1 \|$/);
  assert.ok(row.length < 200);
});

test("twenty rows are shown, and the last lines say what is left", () => {
  const rows = Array.from({ length: 23 }, (_, size) => ({ name: "n", size }));
  const lines = shortTable(columns, rows, true).split("\n");
  assert.equal(lines.length, 24);
  assert.match(lines[22] ?? "", /^and 3 more/);
  assert.match(lines[23] ?? "", /cursor/);
  assert.equal(shortTable(columns, rows.slice(0, 20)).split("\n").length, 22);
});
