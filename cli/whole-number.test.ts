import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgumentError } from "commander";
import { wholeNumber } from "./whole-number.ts";

test("an option's number is whole and not below the least; the refusal says of what", () => {
  const days = wholeNumber("days", 1);
  assert.deepEqual([days("1"), days("90"), days("007")], [1, 90, 7]);
  assert.equal(wholeNumber("minutes", 0)("0"), 0);
  for (const text of ["0", "-1", "1.5", "1e3", " 1", "", "one", "1234567890"])
    assert.throws(
      () => days(text),
      (error) => error instanceof InvalidArgumentError && /days, 1 or more/.test(error.message),
      text,
    );
});
