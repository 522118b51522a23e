import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { v7 } from "uuid";
import { generateKeyPair, keyId, sign } from "../../contracts/formats/ed25519.ts";
import { epochOrigin, issueLaneCertificate, laneOrigin } from "../../contracts/formats/lane-certificate.ts";
import { commitOrigin, signCommit } from "../../contracts/formats/lane-commit.ts";
import { CompactRange } from "../../contracts/formats/merkle.ts";
import type { CallOutcome, CallRecord } from "../domain/evidence/call-record.ts";
import { buildIntent, buildOutcome, PENDING, placeInLane } from "./build-receipt.ts";
import type { JournalSource, LaneRecord } from "./journal-source.ts";
import { verifyLane } from "./verify-lane.ts";

/** What a process could get wrong, or do on purpose, that holds the key and signs what it writes. */
interface Faults {
  readonly previous?: string;
  readonly epoch?: number;
  readonly sequence?: number;
  readonly account?: string;
  readonly time?: Date;
  /** The entry is the outcome of a call without an intent. */
  readonly outcome?: { readonly code: CallOutcome["code"]; readonly approved: boolean };
  /** Signs another root than that of the entries. */
  readonly root?: Buffer;
  /** Signs with a key that the certificate does not name. */
  readonly key?: ReturnType<typeof generateKeyPair>;
  /** Signs as another epoch. */
  readonly commitsAs?: string;
}

const HUB = "hub";
const EPOCH = 3;
const accountId = v7();
const APPROVAL = { requestId: v7(), profile: "team", demand: "approve", decisions: [] } as const;
const NOW = new Date("2026-11-21T12:00:00.000Z");

/** A lane of three intents in one commit; the faults are in the second, and signed like everything else. */
async function lane(faults: Faults = {}) {
  const [rootKey, process] = [generateKeyPair(), generateKeyPair()];
  const origin = laneOrigin(HUB, EPOCH, accountId);
  const certificate = await issueLaneCertificate(
    {
      origin,
      epoch: { id: v7(), no: EPOCH, origin: epochOrigin(HUB, EPOCH) },
      processKey: process.publicKey,
      rootKey: rootKey.publicKey,
      notBefore: new Date(NOW.getTime() - 1_000),
      notAfter: new Date(NOW.getTime() + 1_000),
    },
    async (message) => sign(message, rootKey.privateKey),
  );
  const range = new CompactRange();
  let head = hash("sha256", certificate, "buffer");
  const receipts = [0, 1, 2].map((sequence) => {
    const { account = accountId, time = NOW, outcome, ...place } = sequence === 1 ? faults : {};
    const record: CallRecord = {
      ...{ callId: v7(), accountId: account, action: "door", schemaDigest: "", channel: "mcp" },
      ...(outcome?.approved && { approval: APPROVAL }),
    };
    const draft = outcome ? buildOutcome(record, { code: outcome.code, at: time }) : buildIntent(record, time);
    const statement = placeInLane(draft, {
      epoch: place.epoch ?? EPOCH,
      previous: place.previous ?? head.toString("hex"),
      sequence: place.sequence ?? sequence,
    });
    head = hash("sha256", statement, "buffer");
    range.append(head);
    const [phase, code] = outcome ? ["outcome", outcome.code] : ["intent", PENDING];
    const columns = { callId: record.callId, phase, action: "door", principalId: undefined, code };
    return { ...columns, sequence, statement, at: time, other: undefined, inFlight: false };
  });
  const signedRoot = faults.root ?? range.root();
  const commitAs = commitOrigin(faults.commitsAs ?? epochOrigin(HUB, EPOCH), 1);
  const { note } = signCommit(commitAs, [{ origin, size: 3, root: signedRoot }], faults.key ?? process);
  const record: LaneRecord = {
    ...{ epoch: EPOCH, size: 3, head, root: range.root(), certificate },
    ...{ closed: false, integrated: 0 },
  };
  const source: Pick<JournalSource, "receipts" | "commits" | "beyond"> = {
    receipts: async (_epoch, from, to) => receipts.slice(from, to),
    commits: async (_epoch, after) => (after < 3 ? [{ size: 3, root: signedRoot, note, laneIndex: 0, path: [] }] : []),
    beyond: async () => undefined,
  };
  const isTrusted = (key: typeof rootKey.publicKey) => keyId(key) === keyId(rootKey.publicKey);
  return verifyLane({ source: source as JournalSource, hubId: HUB, accountId, isTrusted, signal: undefined }, record);
}

test("a lane that its process wrote as it should holds", async () => {
  const { receipts, unclosed, unmatched } = await lane();
  assert.deepEqual([receipts, unclosed, unmatched], [3, 0, undefined]);
});

for (const [what, outcome] of [
  ["a read", { code: "OK", approved: false }],
  ["a refusal of an approved call", { code: "APPROVAL_STALE", approved: true }],
] as const) {
  test(`holds without an intent: ${what}`, async () => {
    assert.deepEqual((await lane({ outcome })).unmatched, undefined);
  });
}

const CASES: readonly (readonly [string, Faults, number])[] = [
  ["a statement that does not follow the one before it", { previous: "00".repeat(32) }, 1],
  ["a statement of another epoch", { epoch: 4 }, 1],
  ["a statement of another place", { sequence: 2 }, 1],
  ["a statement of another account", { account: v7() }, 1],
  ["an approved change without an intent", { outcome: { code: "OK", approved: true } }, 1],
  ["an approved change in doubt without an intent", { outcome: { code: "AMBIGUOUS", approved: true } }, 1],
  ["an intent after the key's validity", { time: new Date(NOW.getTime() + 2_000) }, 1],
  ["an intent before the key's validity", { time: new Date(NOW.getTime() - 2_000) }, 1],
  ["a root that is not that of the entries", { root: hash("sha256", "another", "buffer") }, 2],
  ["a signature of a key that nobody certified", { key: generateKeyPair() }, 2],
  ["a commit of another epoch", { commitsAs: epochOrigin(HUB, EPOCH + 1) }, 2],
  ["a commit of another hub", { commitsAs: epochOrigin("other", EPOCH) }, 2],
];

for (const [what, faults, sequence] of CASES) {
  test(`refused although it is signed: ${what}`, async () => {
    await assert.rejects(lane(faults), (error: { place?: object }) => {
      assert.deepEqual(error.place && { ...error.place, receiptId: undefined }, {
        epoch: EPOCH,
        sequence,
        receiptId: undefined,
      });
      return true;
    });
  });
}
