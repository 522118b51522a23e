import assert from "node:assert/strict";
import { test } from "node:test";
import { newTraceId, traceIdOf } from "./trace-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

const accept = [
  `00-${TRACE}-${PARENT}-01`,
  ` 00-${TRACE}-${PARENT}-00 `,
  `cc-${TRACE}-${PARENT}-01-what-comes-later`,
  `01-${TRACE}-${PARENT}-ff`,
];
const reject = [
  undefined,
  7,
  "",
  TRACE,
  `00-${TRACE}-${PARENT}`,
  `00-${TRACE}-${PARENT}-01-more`,
  `ff-${TRACE}-${PARENT}-01`,
  `00-${"0".repeat(32)}-${PARENT}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${PARENT}-01`,
  `00-${TRACE}0-${PARENT}-01`,
  `cc-${TRACE}-${PARENT}-01.more`,
];

for (const value of accept) test(`a traceparent: ${value}`, () => assert.equal(traceIdOf(value), TRACE));
for (const value of reject) test(`no traceparent: ${value}`, () => assert.equal(traceIdOf(value), undefined));
test("an id of our own is one that we would accept", () => {
  const id = newTraceId();
  assert.equal(traceIdOf(`00-${id}-${PARENT}-01`), id);
});
