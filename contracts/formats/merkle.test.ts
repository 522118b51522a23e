import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import fc from "fast-check";
import {
  CompactRange,
  consistencyProof,
  inclusionProof,
  leafHash,
  nodeHash,
  root,
  verifyConsistency,
  verifyInclusion,
} from "./merkle.ts";

const sha256 = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();

/** The largest power of two below n. */
const split = (n: number) => 2 ** (Math.ceil(Math.log2(n)) - 1);

/** MTH, PATH and SUBPROOF, word for word as RFC 6962 section 2.1 defines them. */
function mth(d: Buffer[]): Buffer {
  if (d.length === 0) return sha256();
  if (d.length === 1) return sha256(Buffer.of(0), d[0] as Buffer);
  const k = split(d.length);
  return sha256(Buffer.of(1), mth(d.slice(0, k)), mth(d.slice(k)));
}
function path(m: number, d: Buffer[]): Buffer[] {
  if (d.length === 1) return [];
  const k = split(d.length);
  return m < k ? [...path(m, d.slice(0, k)), mth(d.slice(k))] : [...path(m - k, d.slice(k)), mth(d.slice(0, k))];
}
function subproof(m: number, d: Buffer[], whole: boolean): Buffer[] {
  if (m === d.length) return whole ? [] : [mth(d)];
  const k = split(d.length);
  return m <= k
    ? [...subproof(m, d.slice(0, k), whole), mth(d.slice(k))]
    : [...subproof(m - k, d.slice(k), false), mth(d.slice(0, k))];
}

const entriesOf = (count: number) => Array.from({ length: count }, (_, i) => Buffer.from(`entry ${i}`));
const hex = (hashes: readonly Uint8Array[]) => hashes.map((hash) => Buffer.from(hash).toString("hex"));
const flipped = (bytes: Uint8Array, bit: number) => {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
};

suite("Merkle trees", () => {
  test("have the roots that the definition gives, for entries of any kind", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 70 }), (list) => {
        const entries = list.map((bytes) => Buffer.from(bytes));
        const expected = mth(entries);
        assert.deepEqual(root(entries), expected);
        const range = new CompactRange();
        for (const entry of entries) assert.deepEqual(range.append(entry), leafHash(entry));
        assert.equal(range.size, entries.length);
        assert.deepEqual(range.root(), expected);
      }),
    );
  });

  test("have the known roots of the transparency-dev test tree", () => {
    const known = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const entries = known.map((text) => Buffer.from(text, "hex"));
    assert.equal(root([]).toString("hex"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert.equal(root(entries).toString("base64"), "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=");
  });

  test("grow apart once cloned", () => {
    const range = new CompactRange();
    for (const entry of entriesOf(5)) range.append(entry);
    const before = range.root();
    const trial = range.clone();
    trial.append(Buffer.from("not durable"));
    trial.append(Buffer.from("not durable either"));
    assert.equal(range.size, 5);
    assert.deepEqual(range.root(), before);
    for (const entry of entriesOf(7).slice(5)) range.append(entry);
    assert.deepEqual(range.root(), mth(entriesOf(7)));
    assert.equal(trial.size, 7);
    assert.notDeepEqual(trial.root(), range.root());
  });

  test("take hashes of 32 bytes alone", () => {
    const range = new CompactRange();
    assert.throws(() => range.appendLeafHash(Buffer.alloc(31)), { code: "PROOF_INVALID" });
    assert.equal(range.size, 0);
  });
});

suite("inclusion", () => {
  test("proofs are those of the definition, verify, and stop verifying with any bit or number changed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (size, place, noise) => {
        const entries = entriesOf(size + 3);
        const leaves = entries.map(leafHash);
        const index = place % size;
        const tree = entries.slice(0, size);
        const proof = inclusionProof(index, size, leaves);
        assert.deepEqual(hex(proof), hex(path(index, tree)));
        const claim = { index, size, leafHash: leaves[index] as Buffer, proof, root: mth(tree) };
        assert.ok(verifyInclusion(claim));
        const bit = noise % 256;
        assert.ok(!verifyInclusion({ ...claim, root: flipped(claim.root, bit) }));
        assert.ok(!verifyInclusion({ ...claim, leafHash: flipped(claim.leafHash, bit) }));
        assert.ok(!verifyInclusion({ ...claim, proof: [...proof, claim.root] }));
        assert.ok(!verifyInclusion({ ...claim, index: size }));
        assert.ok(!verifyInclusion({ ...claim, index: -1 }));
        assert.ok(!verifyInclusion({ ...claim, index: index + 0.5 }));
        if (proof.length > 0) {
          const at = noise % proof.length;
          assert.ok(!verifyInclusion({ ...claim, proof: proof.with(at, flipped(proof[at] as Buffer, bit)) }));
          assert.ok(!verifyInclusion({ ...claim, proof: proof.toSpliced(at, 1) }));
          assert.ok(!verifyInclusion({ ...claim, index: (index + 1) % size }));
        }
      }),
    );
  });

  test("proofs have no more hashes than the tree has levels, even where the root was computed from them", () => {
    const entries = entriesOf(6);
    const proof = inclusionProof(2, 6, entries.map(leafHash));
    const claim = { index: 2, size: 6, leafHash: leafHash(entries[2] as Buffer), proof, root: mth(entries) };
    const more = leafHash(Buffer.from("made up"));
    assert.ok(verifyInclusion(claim));
    assert.ok(!verifyInclusion({ ...claim, proof: [...proof, more], root: nodeHash(more, claim.root) }));
    assert.ok(!verifyInclusion({ ...claim, proof: [...proof, more], root: nodeHash(claim.root, more) }));
  });

  test("is asked for leaves that exist", () => {
    const leaves = entriesOf(4).map(leafHash);
    for (const [index, size] of [
      [4, 4],
      [0, 5],
      [-1, 4],
      [0, 0],
      [0.5, 4],
    ] as const) {
      assert.throws(() => inclusionProof(index, size, leaves), { code: "PROOF_INVALID" });
    }
    assert.equal(inclusionProof(3, 4, leaves).length, 2);
  });

  test("works in trees of more than 2^32 leaves", () => {
    // a path with the proven leaf on the left at every level: all other halves are made up
    const proof = Array.from({ length: 40 }, (_, level) => leafHash(Buffer.of(level)));
    const leaf = leafHash(Buffer.from("first"));
    const claim = {
      index: 0,
      size: 2 ** 40,
      leafHash: leaf,
      proof,
      root: proof.reduce((left, right) => nodeHash(left, right), leaf),
    };
    assert.ok(verifyInclusion(claim));
    assert.ok(!verifyInclusion({ ...claim, index: 2 ** 32 }));
    assert.ok(!verifyInclusion({ ...claim, size: 2 ** 32 }));
  });
});

suite("consistency", () => {
  test("proofs are those of the definition, verify, and stop verifying with any bit or number changed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (size2, place, noise) => {
        const entries = entriesOf(size2 + 3);
        const size1 = 1 + (place % size2);
        const proof = consistencyProof(size1, size2, entries.map(leafHash));
        assert.deepEqual(hex(proof), hex(subproof(size1, entries.slice(0, size2), true)));
        const claim = { size1, size2, proof, root1: mth(entries.slice(0, size1)), root2: mth(entries.slice(0, size2)) };
        assert.ok(verifyConsistency(claim));
        const bit = noise % 256;
        assert.ok(!verifyConsistency({ ...claim, root1: flipped(claim.root1, bit) }));
        assert.ok(!verifyConsistency({ ...claim, root2: flipped(claim.root2, bit) }));
        assert.ok(!verifyConsistency({ ...claim, proof: [...proof, claim.root2] }));
        assert.ok(!verifyConsistency({ ...claim, size1: 0 }));
        assert.ok(!verifyConsistency({ ...claim, size1: size2 + 1 }));
        if (proof.length > 0) {
          const at = noise % proof.length;
          assert.ok(!verifyConsistency({ ...claim, proof: proof.with(at, flipped(proof[at] as Buffer, bit)) }));
          assert.ok(!verifyConsistency({ ...claim, proof: proof.toSpliced(at, 1) }));
        }
      }),
    );
  });

  test("proofs have no more hashes than the tree has levels, even where the roots were computed from them", () => {
    const entries = entriesOf(6);
    const proof = consistencyProof(3, 6, entries.map(leafHash));
    const claim = { size1: 3, size2: 6, proof, root1: mth(entries.slice(0, 3)), root2: mth(entries) };
    const more = leafHash(Buffer.from("made up"));
    const above = { root1: nodeHash(more, claim.root1), root2: nodeHash(more, claim.root2) };
    assert.ok(verifyConsistency(claim));
    assert.ok(!verifyConsistency({ ...claim, proof: [...proof, more], ...above }));
  });

  test("is not shown for a tree that was written anew", () => {
    const entries = entriesOf(12);
    const rewritten = entries.with(2, Buffer.from("another"));
    const proof = consistencyProof(7, 12, rewritten.map(leafHash));
    const roots = (beginning: Buffer[]) => ({ root1: mth(beginning.slice(0, 7)), root2: mth(rewritten) });
    assert.ok(!verifyConsistency({ size1: 7, size2: 12, proof, ...roots(entries) }));
    assert.ok(verifyConsistency({ size1: 7, size2: 12, proof, ...roots(rewritten) }));
  });

  test("of equal trees needs equal roots of 32 bytes and no proof", () => {
    const same = mth(entriesOf(3));
    const claim = { size1: 3, size2: 3, root1: same, root2: same, proof: [] };
    assert.ok(verifyConsistency(claim));
    assert.ok(!verifyConsistency({ ...claim, proof: [same] }));
    assert.ok(!verifyConsistency({ ...claim, root2: mth(entriesOf(4)) }));
    assert.ok(!verifyConsistency({ ...claim, root1: same.subarray(1), root2: same.subarray(1) }));
  });

  test("is asked for between sizes that exist", () => {
    const leaves = entriesOf(4).map(leafHash);
    for (const [size1, size2] of [
      [0, 4],
      [3, 2],
      [2, 5],
      [1.5, 4],
    ] as const) {
      assert.throws(() => consistencyProof(size1, size2, leaves), { code: "PROOF_INVALID" });
    }
    assert.deepEqual(consistencyProof(4, 4, leaves), []);
  });
});
