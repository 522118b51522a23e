import assert from "node:assert/strict";
import { test } from "node:test";
import { checkParameters } from "./assignment-parameters.ts";

const declared = {
  size: { type: "integer", required: true },
  tier: { type: "string", required: true, default: "small", enum: ["small", "large"] },
  debug: { type: "boolean", required: false },
} as const satisfies Record<string, object>;
const check = (values: Record<string, string | number | boolean>) =>
  checkParameters("web", structuredClone(declared) as never, values);

for (const values of [{ size: 1 }, { size: -3, tier: "large" }, { size: 0, debug: false }])
  test(`${JSON.stringify(values)} fits`, () => check(values));

for (const [what, values, parameter] of [
  ["a required parameter left out", { tier: "small" }, "size"],
  ["a parameter that the template lacks", { size: 1, extra: 1 }, "extra"],
  ["a name that every object has", { size: 1, toString: "x" }, "toString"],
  ["text for a number", { size: "1" }, "size"],
  ["a number for text", { size: 1, tier: 2 }, "tier"],
  ["text for yes or no", { size: 1, debug: "true" }, "debug"],
  ["a value beyond those listed", { size: 1, tier: "huge" }, "tier"],
] as const) {
  test(`${what} is refused with its path`, () =>
    assert.throws(() => check(values), { code: "INPUT_INVALID", path: `object.spec.parameters.${parameter}` }));
}
