import type { KeyObject } from "node:crypto";
import { HubError } from "../../server/errors.ts";
import { checkpointText, parseDecimal, signCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { leafHash, nodeHash, verifyInclusion } from "./merkle.ts";
import { noteKeyId } from "./signed-note.ts";

/**
 * A commit of the journal: any number of lanes grow at once, under one signature. The lanes' checkpoint texts are the
 * entries of a small RFC 6962 tree of the commit's own, and what is signed is that tree's C2SP checkpoint. Each account
 * keeps the note and the path to its lane: of the other accounts' lanes that shows hashes alone.
 */

export interface LaneHead {
  readonly origin: string;
  /** Entries in the lane after this commit. */
  readonly size: number;
  readonly root: Buffer;
}

export interface SignedCommit {
  readonly note: string;
  /** The path of each lane, in the order of the heads. */
  readonly paths: readonly (readonly Buffer[])[];
}

/** The origin of a commit's checkpoint: each commit is a log of its own, of one checkpoint. Commits count from 1. */
export function commitOrigin(epochOrigin: string, commitNo: number): string {
  return `${epochOrigin}/commit/${commitNo}`;
}

/** Signs the heads of all lanes of a commit, at least one. */
export function signCommit(
  origin: string,
  heads: readonly LaneHead[],
  key: { privateKey: KeyObject; publicKey: KeyObject },
): SignedCommit {
  const { root, paths } = treeWithPaths(heads.map((head) => leafHash(Buffer.from(checkpointText(head)))));
  return { note: signCheckpoint({ origin, size: heads.length, root }, key), paths };
}

export interface CommitClaim {
  readonly note: string;
  /** The epoch whose commits the key may sign. */
  readonly epochOrigin: string;
  readonly processKey: KeyObject;
  readonly head: LaneHead;
  readonly laneIndex: number;
  readonly path: readonly Buffer[];
}

/**
 * Verifies that a commit of this epoch, signed with this key, has the lane at this head. Answers with the commit's
 * number. Throws PROOF_INVALID.
 */
export function verifyCommit(claim: CommitClaim): number {
  const origin = claim.note.slice(0, claim.note.indexOf("\n"));
  const prefix = commitOrigin(claim.epochOrigin, 0).slice(0, -1);
  const commitNo = origin.startsWith(prefix) ? parseDecimal(origin.slice(prefix.length)) : undefined;
  if (!commitNo) throw new HubError("PROOF_INVALID", "The commit is refused: it belongs to another epoch.");
  const { processKey } = claim;
  const id = noteKeyId(origin, processKey);
  const { size, root } = verifyCheckpoint(claim.note, { name: origin, id, publicKey: processKey });
  const leaf = leafHash(Buffer.from(checkpointText(claim.head)));
  if (!verifyInclusion({ index: claim.laneIndex, size, leafHash: leaf, proof: claim.path, root })) {
    throw new HubError("PROOF_INVALID", "The commit is refused: it does not hold the lane at this size and root.");
  }
  return commitNo;
}

/** Root and inclusion paths (RFC 6962 section 2.1) of all leaves at once: each node is hashed once. */
function treeWithPaths(leaves: readonly Buffer[]): { root: Buffer; paths: Buffer[][] } {
  const [first] = leaves;
  if (first === undefined) throw new Error("cannot happen: a commit without lanes");
  if (leaves.length === 1) return { root: first, paths: [[]] };
  let middle = 1;
  while (middle * 2 < leaves.length) middle *= 2;
  const left = treeWithPaths(leaves.slice(0, middle));
  const right = treeWithPaths(leaves.slice(middle));
  for (const path of left.paths) path.push(right.root);
  for (const path of right.paths) path.push(left.root);
  return { root: nodeHash(left.root, right.root), paths: [...left.paths, ...right.paths] };
}
