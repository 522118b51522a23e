import { hash } from "node:crypto";
import { HubError } from "../../server/errors.ts";

/**
 * Merkle trees of append-only logs: RFC 6962 section 2.1 and RFC 9162 section 2.1. Leaf hash SHA-256(0x00 || entry), node
 * hash SHA-256(0x01 || left || right), SHA-256 of nothing for the empty tree. Sizes and indexes are integers up to
 * 2^53-1. Proofs run from the leaf's side to the root's.
 */

export const HASH_LENGTH = 32;

export function leafHash(entry: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + entry.length);
  input[0] = 0;
  input.set(entry, 1);
  return hash("sha256", input, "buffer");
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + 2 * HASH_LENGTH);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + HASH_LENGTH);
  return hash("sha256", input, "buffer");
}

/** The root of the tree without entries. */
export function emptyRoot(): Buffer {
  return hash("sha256", "", "buffer");
}

/**
 * All that is needed to append and to know the root: the roots of the complete subtrees, largest first. At most 53
 * hashes, however long the log.
 */
export class CompactRange {
  #size = 0;
  #peaks: Buffer[] = [];

  /** How many entries were appended. */
  get size(): number {
    return this.#size;
  }

  /** Appends an entry and returns its leaf hash. */
  append(entry: Uint8Array): Buffer {
    const leaf = leafHash(entry);
    this.appendLeafHash(leaf);
    return leaf;
  }

  appendLeafHash(leaf: Buffer): void {
    requireHash(leaf);
    let peak = leaf;
    // each trailing one bit of the size is a complete subtree that the new leaf doubles
    for (let rest = this.#size; rest % 2 === 1; rest = half(rest)) peak = nodeHash(this.#peaks.pop() as Buffer, peak);
    this.#peaks.push(peak);
    this.#size++;
  }

  root(): Buffer {
    let root = this.#peaks.at(-1);
    if (root === undefined) return emptyRoot();
    for (let i = this.#peaks.length - 2; i >= 0; i--) root = nodeHash(this.#peaks[i] as Buffer, root);
    return root;
  }

  /** A copy that grows by itself: for trying an append that may not become durable. */
  clone(): CompactRange {
    const copy = new CompactRange();
    copy.#size = this.#size;
    copy.#peaks = [...this.#peaks];
    return copy;
  }
}

/** The root of the tree over these entries. */
export function root(entries: Iterable<Uint8Array>): Buffer {
  const range = new CompactRange();
  for (const entry of entries) range.append(entry);
  return range.root();
}

/**
 * The proof that leaf `index` is in the tree of the first `size` leaves. Hashes every leaf of that tree once. Throws
 * PROOF_INVALID where there is no such leaf.
 */
export function inclusionProof(index: number, size: number, leafHashes: readonly Buffer[]): Buffer[] {
  if (!isIndex(index) || !isIndex(size) || index >= size || size > leafHashes.length) {
    throw new HubError(
      "PROOF_INVALID",
      `There is no leaf ${index} in a tree of ${size} of ${leafHashes.length} leaves.`,
    );
  }
  const proof: Buffer[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + splitSize(to - from);
    const leafIsLeft = index < middle;
    proof.push(leafIsLeft ? subtreeRoot(leafHashes, middle, to) : subtreeRoot(leafHashes, from, middle));
    if (leafIsLeft) to = middle;
    else from = middle;
  }
  return proof.reverse();
}

/**
 * The proof that the tree of the first `size1` leaves is a beginning of the tree of the first `size2`. Throws
 * PROOF_INVALID for sizes between which there is nothing to prove: the empty tree begins every tree.
 */
export function consistencyProof(size1: number, size2: number, leafHashes: readonly Buffer[]): Buffer[] {
  if (!isIndex(size1) || !isIndex(size2) || size1 === 0 || size1 > size2 || size2 > leafHashes.length) {
    throw new HubError("PROOF_INVALID", `There is no proof from ${size1} to ${size2} of ${leafHashes.length} leaves.`);
  }
  const proof: Buffer[] = [];
  let from = 0;
  let to = size2;
  while (to !== size1) {
    const middle = from + splitSize(to - from);
    const endsLeft = size1 <= middle;
    proof.push(endsLeft ? subtreeRoot(leafHashes, middle, to) : subtreeRoot(leafHashes, from, middle));
    if (endsLeft) to = middle;
    else from = middle;
  }
  // the verifier knows the old root, which is this subtree where the old tree is complete
  if (from > 0) proof.push(subtreeRoot(leafHashes, from, to));
  return proof.reverse();
}

export interface InclusionClaim {
  index: number;
  size: number;
  leafHash: Uint8Array;
  proof: readonly Uint8Array[];
  root: Uint8Array;
}

/** Whether the proof shows the leaf at its index in the tree with this size and root (RFC 9162 section 2.1.3.2). */
export function verifyInclusion({ index, size, leafHash, proof, root }: InclusionClaim): boolean {
  if (!isIndex(index) || !isIndex(size) || index >= size || ![leafHash, root, ...proof].every(isHash)) return false;
  let node = index;
  let last = size - 1;
  let computed = leafHash;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      computed = nodeHash(sibling, computed);
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else computed = nodeHash(computed, sibling);
    node = half(node);
    last = half(last);
  }
  return last === 0 && equal(computed, root);
}

export interface ConsistencyClaim {
  size1: number;
  size2: number;
  root1: Uint8Array;
  root2: Uint8Array;
  proof: readonly Uint8Array[];
}

/**
 * Whether the proof shows that the first tree is a beginning of the second (RFC 9162 section 2.1.4.2). An empty first tree
 * is refused: nothing about the second follows from it.
 */
export function verifyConsistency({ size1, size2, root1, root2, proof }: ConsistencyClaim): boolean {
  if (!isIndex(size1) || !isIndex(size2) || size1 === 0 || size1 > size2) return false;
  if (![root1, root2, ...proof].every(isHash)) return false;
  if (size1 === size2) return proof.length === 0 && equal(root1, root2);
  const path = isPowerOfTwo(size1) ? [root1, ...proof] : proof;
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let node = size1 - 1;
  let last = size2 - 1;
  while (node % 2 === 1) {
    node = half(node);
    last = half(last);
  }
  let computed1 = first;
  let computed2 = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      computed1 = nodeHash(sibling, computed1);
      computed2 = nodeHash(sibling, computed2);
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else computed2 = nodeHash(computed2, sibling);
    node = half(node);
    last = half(last);
  }
  return last === 0 && equal(computed1, root1) && equal(computed2, root2);
}

function subtreeRoot(leafHashes: readonly Buffer[], from: number, to: number): Buffer {
  const range = new CompactRange();
  for (let i = from; i < to; i++) range.appendLeafHash(leafHashes[i] as Buffer);
  return range.root();
}

/** The largest power of two below `size`, which is 2 or more: the leaves of the left half. */
function splitSize(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

// shifts and bit masks would cut sizes to 32 bits
function half(size: number): number {
  return Math.floor(size / 2);
}

function isPowerOfTwo(size: number): boolean {
  let rest = size;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === HASH_LENGTH;
}

function requireHash(bytes: Uint8Array): void {
  if (!isHash(bytes)) throw new HubError("PROOF_INVALID", `A hash has ${HASH_LENGTH} bytes, not ${bytes.length}.`);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
