import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

const root = new URL("../", import.meta.url);
const page = readFileSync(new URL("docs/SECURITY-MODEL.md", root), "utf8");
/** A line such as "- `server/x.test.ts`: what it is called". */
const NAMED = /^- `([^`]+\.test\.ts)`: (.+)$/gm;

/** Texts as they are written, also over several lines and with a part that is filled in. */
function isNamedIn(source: string, name: string): boolean {
  return source.includes(name) || source.includes(JSON.stringify(name).slice(1, -1));
}

describe("docs/SECURITY-MODEL.md", () => {
  const named = [...page.matchAll(NAMED)].map(([, file = "", name = ""]) => ({ file, name }));

  test("names tests, and nothing in the form of one that is none", () => {
    assert.ok(named.length >= 50, String(named.length));
    assert.equal(named.length, page.split("\n").filter((line) => line.startsWith("- `")).length);
  });

  for (const { file, name } of named)
    test(`${file} has: ${name}`, () => {
      const path = new URL(file, root);
      assert.ok(existsSync(path), file);
      assert.ok(isNamedIn(readFileSync(path, "utf8"), name), name);
    });

  test("shows a test for each attack, or says who owes one", () => {
    const sections = page.split(/^### /m).slice(1);
    assert.ok(sections.length >= 18);
    for (const section of sections) assert.match(section, /^- `|\*\*Owed\*\*/m, section.split("\n")[0]);
  });
});
