import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { checkpointText } from "./checkpoint.ts";
import { generateKeyPair } from "./ed25519.ts";
import { commitOrigin, signCommit, verifyCommit } from "./lane-commit.ts";
import { inclusionProof, leafHash } from "./merkle.ts";

const key = generateKeyPair();
const EPOCH = "countersign/hub/12";
const heads = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ origin: `${EPOCH}/account-${i}`, size: i + 1, root: randomBytes(32) }));

function signed(count: number, commitNo = 3) {
  const lanes = heads(count);
  const { note, paths } = signCommit(commitOrigin(EPOCH, commitNo), lanes, key);
  return lanes.map((head, laneIndex) => ({
    ...{ note, head, laneIndex },
    epochOrigin: EPOCH,
    processKey: key.publicKey,
    path: paths[laneIndex] as Buffer[],
  }));
}

test("each lane of a commit is shown to be in it, by an RFC 6962 path", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), (count) => {
      const claims = signed(count);
      const leaves = claims.map(({ head }) => leafHash(Buffer.from(checkpointText(head))));
      for (const claim of claims) {
        assert.equal(verifyCommit(claim), 3);
        assert.deepEqual(claim.path, inclusionProof(claim.laneIndex, count, leaves));
      }
    }),
    { numRuns: 30 },
  );
});

test("a commit shows nothing else: another head, place, path, epoch or key is refused", () => {
  const claims = signed(5);
  const [claim, next] = claims;
  assert.ok(claim && next);
  verifyCommit(claim);
  const { head } = claim;
  for (const other of [
    { head: { ...head, size: head.size + 1 } },
    { head: { ...head, root: randomBytes(32) } },
    { head: { ...head, origin: next.head.origin } },
    { laneIndex: 1 },
    { path: next.path },
    { path: claim.path.slice(1) },
    { path: [...claim.path, randomBytes(32)] },
    { epochOrigin: "countersign/hub/1" },
    { epochOrigin: "countersign/other/12" },
    { processKey: generateKeyPair().publicKey },
    { note: signed(5)[0]?.note as string },
    { note: claim.note.replace("/commit/3", "/commit/4") },
    { note: claim.note.replace("/commit/3", "/commit/03") },
    { note: "" },
  ]) {
    assert.throws(() => verifyCommit({ ...claim, ...other }), { code: "PROOF_INVALID" }, JSON.stringify(other));
  }
});

test("commits count from 1, and a commit number is written one way alone", () => {
  const [first] = signed(1, 1);
  assert.ok(first);
  assert.equal(verifyCommit(first), 1);
  for (const strange of ["0", "1e3", "-1", "1.5", "01", ""]) {
    const lanes = heads(1);
    const { note } = signCommit(`${EPOCH}/commit/${strange}`, lanes, key);
    const claim = { ...first, note, head: lanes[0] as (typeof lanes)[0] };
    assert.throws(() => verifyCommit(claim), { code: "PROOF_INVALID" }, strange);
  }
});
