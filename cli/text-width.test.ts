import assert from "node:assert/strict";
import { test } from "node:test";
import { styleText } from "node:util";
import { cutText, textWidth, wrapText } from "./text-width.ts";

test("a width is counted in columns", () => {
  for (const [text, width] of [
    ["", 0],
    ["abc", 3],
    ["日本", 4],
    ["e\u0301", 1],
    ["👍", 2],
    [styleText("red", "abc", { validateStream: false }), 3],
  ] as const)
    assert.equal(textWidth(text), width, JSON.stringify(text));
});

test("text is broken at spaces; a long word stays whole, line feeds stay", () => {
  assert.deepEqual(wrapText("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrapText("日本 日本 日本", 9), ["日本 日本", "日本"]);
  assert.deepEqual(wrapText("a\nb c", 80), ["a", "b c"]);
  assert.deepEqual(wrapText("incomprehensible x", 5), ["incomprehensible", "x"]);
});

test("a cut text says so, and never takes more than its columns", () => {
  assert.equal(cutText("abcdef", 6), "abcdef");
  assert.equal(cutText("abcdefg", 6), "abc...");
  assert.equal(cutText("日本日本", 7), "日本...");
});
