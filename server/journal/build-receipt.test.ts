import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { v7 } from "uuid";
import { canonicalize, type Json } from "../../contracts/formats/canonical-json.ts";
import { parseReceipt } from "../../contracts/formats/receipt-statement.ts";
import { parseStatement } from "../../contracts/formats/statement.ts";
import type { CallOutcome, CallRecord } from "../domain/evidence/call-record.ts";
import { buildIntent, buildOutcome, lacksPlace, placeInLane, readCallRecord } from "./build-receipt.ts";

const RECEIPT = "https://countersign.dev/receipt/v1";
const PLACE = { epoch: 7, previous: "ab".repeat(32), sequence: 12 };

const sha256 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("hex"));
// what escaping could get wrong is likely; NUL has a test of its own
const text = fc
  .array(fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom('"lane":null', '\\"', "\\", "\u2028", "\u{1f600}")))
  .map((parts) => parts.join("").replaceAll("\0", ""));
const uuid = fc.constant(undefined).map(() => v7());
const kind = fc.constantFrom("operator", "agent", "service");

const PLAIN = { noNullPrototype: true } as const;
const callRecord = fc.record(
  {
    callId: uuid,
    accountId: uuid,
    action: fc.constantFrom("door", "system_fleet_put_object"),
    schemaDigest: fc.oneof(fc.constant(""), sha256),
    channel: fc.constantFrom("mcp", "http", "cli", "job"),
    principal: fc.record({ id: uuid, kind }, PLAIN),
    input: sha256,
    policy: fc.record({ version: fc.nat(), hash: sha256, decidedBy: fc.array(text) }, PLAIN),
    approval: fc.record(
      {
        requestId: uuid,
        profile: fc.constantFrom("solo", "team"),
        demand: text,
        decisions: fc.array(
          fc.record(
            { personId: uuid, assurance: fc.constantFrom("signed", "hub-attested"), keyId: sha256, envelope: sha256 },
            { requiredKeys: ["personId", "assurance"], noNullPrototype: true },
          ),
        ),
      },
      PLAIN,
    ),
    target: fc.record({ type: text, id: text, version: text }, { requiredKeys: ["type", "id"], noNullPrototype: true }),
    runId: text,
    traceId: text,
  },
  { requiredKeys: ["callId", "accountId", "action", "schemaDigest", "channel"], noNullPrototype: true },
) as fc.Arbitrary<CallRecord>;

const outcome = fc.record(
  {
    code: fc.constantFrom("OK", "FORBIDDEN", "AMBIGUOUS"),
    at: fc.date({ noInvalidDate: true, min: new Date("2020-01-01"), max: new Date("2200-01-01") }),
    output: sha256,
    approvalRequestId: text,
  },
  { requiredKeys: ["code", "at"] },
) as fc.Arbitrary<CallOutcome>;

test("a statement is canonical JSON before and after it gets its place, whatever its fields hold", () => {
  fc.assert(
    fc.property(callRecord, outcome, fc.option(sha256, { nil: undefined }), (record, ending, intent) => {
      for (const statement of [buildIntent(record, ending.at), buildOutcome(record, ending, intent)]) {
        assert.equal(canonicalize(JSON.parse(statement) as Json), statement);
        assert.ok(lacksPlace(statement));
        const placed = placeInLane(statement, PLACE);
        const parsed = parseStatement(placed, RECEIPT);
        assert.equal(canonicalize(parsed as unknown as Json), placed.toString());
        assert.deepEqual(parsed.predicate.lane, PLACE);
      }
    }),
  );
});

test("what a statement says reads back as it was recorded", () => {
  fc.assert(
    fc.property(callRecord, outcome, fc.option(sha256, { nil: undefined }), (record, ending, intent) => {
      const placedIntent = placeInLane(buildIntent(record, ending.at), PLACE);
      assert.deepEqual(readCallRecord(placedIntent), record);
      const receipt = parseReceipt(placeInLane(buildOutcome(record, ending, intent), PLACE));
      assert.deepEqual(
        [receipt.code, receipt.time, receipt.output, receipt.approvalRequestId, receipt.intent],
        [ending.code, ending.at.toISOString(), ending.output, ending.approvalRequestId, intent],
      );
    }),
  );
});

const minimal: CallRecord = { callId: v7(), accountId: v7(), action: "door", schemaDigest: "", channel: "http" };

test("the same call never gives the same statement twice", () => {
  const at = new Date();
  const digests = Array.from({ length: 1_000 }, () => hash("sha256", buildIntent(minimal, at)));
  assert.equal(new Set(digests).size, 1_000);
});

test("a receipt is about its input, or about the call where the input could not be read", () => {
  const subject = (record: CallRecord) => JSON.parse(buildIntent(record, new Date())).subject;
  const input = "cd".repeat(32);
  assert.deepEqual(subject({ ...minimal, input }), [{ name: "input", digest: { sha256: input } }]);
  assert.deepEqual(subject(minimal), [{ name: "call", digest: { sha256: hash("sha256", minimal.callId) } }]);
});

test("NUL and half a surrogate are refused; what only looks like NUL is not", () => {
  const build = (runId: string) => buildIntent({ ...minimal, runId }, new Date());
  for (const bad of ["\0", "a\\\0", "\ud800", "\udc00\ud800"])
    assert.throws(() => build(bad), { code: "CANONICAL_INVALID" });
  for (const good of ["\\u0000", "\\\\u0000", "u0000", "\u0001"]) build(good);
});

test("text that is no statement without a place is told apart", () => {
  const statement = buildIntent(minimal, new Date());
  assert.ok(lacksPlace(statement));
  assert.ok(!lacksPlace(placeInLane(statement, PLACE).toString()));
  assert.ok(!lacksPlace(`${statement}${statement}`));
});

test("a receipt's statement has one spelling and no further members", () => {
  const placed = placeInLane(buildIntent(minimal, new Date()), PLACE).toString();
  parseReceipt(Buffer.from(placed));
  for (const other of [
    `${placed} `,
    placed.replace('"channel":"http"', '"channel":"htt\\u0070"'),
    placed.replace('"channel":"http"', '"channel":"http","chance":1'),
    placed.replace('"sequence":12', '"sequence":12.5'),
    placed.replace('"sequence":12', '"sequence":-1'),
    placed.replace('"channel":"http",', ""),
    placed.replace("receipt/v1", "receipt/v2"),
    "",
  ]) {
    assert.throws(() => parseReceipt(Buffer.from(other)), { code: "ENVELOPE_INVALID" }, other);
  }
});
