import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { inclusionProof, leafHash, root, verifyInclusion } from "../../../contracts/formats/merkle.ts";
import { lanePath, neededNodes } from "./lane-path.ts";
import { LaneTree, type SubtreeRoot } from "./lane-tree.ts";

const entry = (i: number) => hash("sha256", `entry ${i}`, "buffer");

/** A lane of so many entries, and what of it is kept in the database. */
function grow(size: number) {
  const tree = new LaneTree();
  const kept: SubtreeRoot[] = [];
  for (let i = 0; i < size; i++) {
    kept.push({ level: 0, index: i, hash: leafHash(entry(i)) }, ...tree.append(entry(i)));
  }
  return { tree, kept };
}

/** What a reader of the database gets that asks for the needed nodes alone. */
function read(kept: readonly SubtreeRoot[], index: number, size: number): SubtreeRoot[] {
  const ranges = neededNodes(index, size);
  return kept.filter((node) =>
    ranges.some(({ level, from, to }) => node.level === level && node.index >= from && node.index < to),
  );
}

test("the root of a growing lane is that of RFC 6962 at every size", () => {
  const tree = new LaneTree();
  const entries: Buffer[] = [];
  for (let size = 0; size <= 1_300; size++) {
    if (size % 37 === 0 || size % 256 < 3) assert.deepEqual(tree.root(), root(entries));
    tree.append(entry(size));
    entries.push(entry(size));
  }
});

test("a copy grows by itself", () => {
  const { tree } = grow(511);
  const before = tree.root();
  const copy = tree.clone();
  copy.append(entry(511));
  copy.append(entry(512));
  assert.deepEqual([tree.size, tree.root()], [511, before]);
  assert.deepEqual([copy.size, copy.root()], [513, grow(513).tree.root()]);
});

const { kept } = grow(1_300);
const leaves = kept.filter(({ level }) => level === 0).map(({ hash }) => hash);

test("the path from the kept nodes is the one from all leaves", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_300 }), fc.nat(), (size, pick) => {
      const index = pick % size;
      assert.deepEqual(lanePath(index, size, read(kept, index, size)), inclusionProof(index, size, leaves));
    }),
  );
});

test("a path in a lane of three tiers needs few nodes and verifies; with one of them missing it is refused", () => {
  const size = 2 * 65_536 + 3 * 256 + 17;
  const { tree, kept } = grow(size);
  const rootHash = tree.root();
  for (const index of [0, 255, 256, 65_535, 65_536, 100_000, 131_071, 131_072, size - 18, size - 1]) {
    const nodes = read(kept, index, size);
    assert.ok(nodes.length <= 1_100, `${nodes.length} nodes`);
    const claim = {
      index,
      size,
      leafHash: leafHash(entry(index)),
      proof: lanePath(index, size, nodes),
      root: rootHash,
    };
    assert.ok(verifyInclusion(claim));
    assert.ok(!verifyInclusion({ ...claim, index: index === 0 ? 1 : index - 1 }));
  }
  const nodes = read(kept, 100_000, size);
  const sibling = nodes.findIndex(({ level, index }) => level === 0 && index === 100_001);
  assert.throws(() => lanePath(100_000, size, nodes.toSpliced(sibling, 1)), { code: "PROOF_INVALID" });
});
