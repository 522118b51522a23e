import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgressLines } from "../progress-bar.ts";
import { textWidth } from "../text-width.ts";
import { Narrator } from "./narrator.ts";

function narrator(json = false) {
  const lines: string[] = [];
  const tell = new Narrator({
    json,
    style: (_, text) => text,
    print: (text) => void lines.push(...text.split("\n")),
    note: () => {},
    progress: () => {},
    progressBar: () => new ProgressLines(() => {}),
    show: () => {},
    confirm: async () => false,
  });
  return { tell, lines };
}

const LONG = "incidentally ".repeat(30);

test("whatever is told fits into 80 columns", () => {
  const { tell, lines } = narrator();
  tell.step("Title", LONG);
  tell.exchange({
    who: "agent",
    call: `tool {"a": "${LONG}"}`,
    answer: [LONG, `  + ${LONG}`, "x".repeat(200), "日本".repeat(90)],
  });
  assert.ok(lines.length > 10);
  for (const line of lines) assert.ok(textWidth(line) <= 80, line);
});

test("of a long answer the beginning and the end are printed, and how much lies between; JSON has it all", () => {
  const { tell, lines } = narrator();
  tell.step("Title", "why");
  const answer = Array.from({ length: 40 }, (_, i) => `line ${i}`);
  tell.exchange({ who: "ada", call: "command", answer });
  const printed = lines.filter((line) => /line/.test(line)).map((line) => line.trim());
  assert.deepEqual(printed.slice(-3), ["(29 more lines)", "line 38", "line 39"]);
  assert.equal(printed[0], "line 0");
  assert.equal(printed.length, 12);
  assert.deepEqual(tell.steps[0]?.exchanges[0]?.answer, answer);
});

test("what is wrapped keeps its indentation, and digests are shortened", () => {
  const { tell, lines } = narrator();
  tell.step("Title", "why");
  tell.exchange({ who: "ada", call: "command", answer: [`    + ${"word ".repeat(20)}`, `sha256:${"ab".repeat(32)}`] });
  const at = lines.findIndex((line) => line.includes("+ word"));
  assert.match(lines[at] ?? "", /^ {10}\+ word/);
  assert.match(lines[at + 1] ?? "", /^ {12}word/);
  assert.equal(lines.at(-1)?.trim(), "sha256:abababab...");
});

test("with JSON nothing is printed before the end", () => {
  const { tell, lines } = narrator(true);
  tell.aside("hello");
  tell.step("Title", "why");
  tell.exchange({ who: "ada", call: "command", answer: ["x"] });
  assert.deepEqual(lines, []);
  assert.equal(tell.steps.length, 1);
});
