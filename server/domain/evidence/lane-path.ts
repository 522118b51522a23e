import { HASH_LENGTH, nodeHash } from "../../../contracts/formats/merkle.ts";
import { HubError } from "../../errors.ts";
import { type SubtreeRoot, TIER_LEVELS, TIER_WIDTH } from "./lane-tree.ts";

/** From..to, `to` not included, on one level: 0 are the leaves, 8 the subtrees of 256 leaves, ... */
export interface NodeRange {
  readonly level: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Which hashes `lanePath` needs for the entry `index` of a lane with `size` entries: on each kept level the siblings
 * around the entry, and around the lane's end. At most 512 a level.
 */
export function neededNodes(index: number, size: number): NodeRange[] {
  const ranges: NodeRange[] = [];
  for (let level = 0, width = 1; width <= size; level += TIER_LEVELS, width *= TIER_WIDTH) {
    const complete = Math.floor(size / width);
    const around = (leaf: number): NodeRange => {
      const from = Math.floor(leaf / width / TIER_WIDTH) * TIER_WIDTH;
      return { level, from, to: Math.min(from + TIER_WIDTH, complete) };
    };
    const [here, end] = [around(index), around(size - 1)];
    if (here.from < here.to) ranges.push(here);
    if (end.from < end.to && end.from !== here.from) ranges.push(end);
  }
  return ranges;
}

/**
 * The RFC 6962 inclusion path (section 2.1.1) of the entry `index` in the tree of the first `size` entries, from the leaf's
 * side to the root's. `nodes` are those that `neededNodes` asks for; level 0 holds leaf hashes. Throws PROOF_INVALID where
 * one is missing.
 */
export function lanePath(index: number, size: number, nodes: Iterable<SubtreeRoot>): Buffer[] {
  const known = new Map<string, Buffer>();
  for (const { level, index: at, hash } of nodes) known.set(`${level}/${at}`, hash);
  const path: Buffer[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + largestPowerBelow(to - from);
    const isLeft = index < middle;
    path.push(isLeft ? rangeRoot(middle, to, known) : rangeRoot(from, middle, known));
    if (isLeft) to = middle;
    else from = middle;
  }
  return path.reverse();
}

/** The root over the leaves from..to, as the recursion of RFC 6962 cuts them: `from` is aligned to the range's width. */
function rangeRoot(from: number, to: number, known: ReadonlyMap<string, Buffer>): Buffer {
  const width = to - from;
  const level = Math.log2(width);
  if (level % TIER_LEVELS === 0) {
    const hash = known.get(`${level}/${from / width}`);
    if (hash?.length === HASH_LENGTH) return hash;
  }
  if (width === 1) throw new HubError("PROOF_INVALID", "The lane has lost an entry that the proof needs.");
  const middle = from + largestPowerBelow(width);
  return nodeHash(rangeRoot(from, middle, known), rangeRoot(middle, to, known));
}

function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}
