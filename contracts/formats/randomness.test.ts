import assert from "node:assert/strict";
import { test } from "node:test";
import { drawRandom } from "./randomness.ts";

test("no piece is given out twice, also across refills, and none changes afterwards", () => {
  const pieces = Array.from({ length: 1_000 }, () => drawRandom(32));
  assert.equal(new Set(pieces.map((piece) => piece.toString("hex"))).size, 1_000);
  assert.ok(pieces.every((piece) => piece.length === 32 && piece.some((byte) => byte !== 0)));
});

test("what is long is drawn elsewhere", () => {
  assert.equal(drawRandom(256).length, 256);
  assert.throws(() => drawRandom(257), RangeError);
});
