import assert from "node:assert/strict";
import { test } from "node:test";
import { RefusalRate } from "./refusal-rate.ts";

test("one address has a burst and a rate of its own, all of them together another", () => {
  let now = 0;
  const rate = new RefusalRate(undefined, () => now);
  const taken = (address: string, times: number) =>
    Array.from({ length: times }, () => rate.take(address)).filter(Boolean).length;
  assert.equal(taken("a", 60), 50);
  assert.equal(taken("b", 40), 40);
  assert.equal(taken("c", 40), 10);
  now += 1000;
  assert.equal(taken("a", 40), 10);
  assert.equal(taken("c", 40), 10);
  now += 3_600_000;
  assert.equal(taken("a", 60), 50);
});
