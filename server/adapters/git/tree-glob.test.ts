import assert from "node:assert/strict";
import { test } from "node:test";
import { checkTreePath, matching, readGlobs } from "./tree-glob.ts";

const paths = [
  "a.yaml",
  "a.yml",
  "b/a.yaml",
  "b/b1.yaml",
  "b/c/d.yaml",
  "b/.hidden.yaml",
  "b2/a.yaml",
  "lib/x..y.yaml",
];

const globs: Readonly<Record<string, readonly string[]>> = {
  "a.yaml": ["a.yaml"],
  "*.yaml": ["a.yaml"],
  "*.y*ml": ["a.yaml", "a.yml"],
  "a.{yaml,yml}": ["a.yaml", "a.yml"],
  "b/*.yaml": ["b/a.yaml", "b/b1.yaml"],
  "b/**/*.yaml": ["b/a.yaml", "b/b1.yaml", "b/c/d.yaml"],
  "**/d.yaml": ["b/c/d.yaml"],
  "b/?.yaml": ["b/a.yaml"],
  "b/[ab]*.yaml": ["b/a.yaml", "b/b1.yaml"],
  "b{,2}/a.yaml": ["b/a.yaml", "b2/a.yaml"],
  "b/{c/d,a}.yaml": ["b/a.yaml", "b/c/d.yaml"],
  "lib/x..y.yaml": ["lib/x..y.yaml"],
  "c/*.yaml": [],
};

for (const [glob, expected] of Object.entries(globs)) {
  test(`${glob} matches what it says`, async () => {
    assert.deepEqual([...(await matching(readGlobs([glob]), paths))].sort(), expected);
  });
}

test("a path that leaves the tree is refused, whatever way it does", () => {
  const leaving = ["", "/a", "../a", "a/../b", "a/..", "./a", "a/./b", "a//b", "a/", "a\\b", "a\0", "a\nb", "a\ufffd"];
  for (const path of [...leaving, ".git/config", "a/.git/b", ".GIT/config", "a/.Git"]) {
    assert.throws(() => checkTreePath(path), { code: "GIT_TREE_REFUSED" }, JSON.stringify(path));
    assert.throws(() => readGlobs([path]), { code: "GIT_TREE_REFUSED" }, JSON.stringify(path));
  }
  for (const path of ["a", "a/b", ".gitignore", "a..b", "...", "a.git/b", "ü/b c"]) checkTreePath(path);
});

test("a glob that takes long to match is refused", () => {
  const involved = ["*a*a*a", "**/**/**/a", "{a,b}".repeat(7), "{{a,b},c}", "{1..9}", "!(a)", "+(a|b)", "!a", "#a"];
  for (const glob of [...involved, "a".repeat(501)]) {
    assert.throws(() => readGlobs([glob]), { code: "DESIRED_STATE_INVALID" }, glob);
  }
  assert.throws(() => readGlobs(Array.from({ length: 101 }, () => "a")), { code: "DESIRED_STATE_INVALID" });
  readGlobs(["*a*", "**/*/**/a", "{a,b}".repeat(6), "a{b,c}", ...Array.from({ length: 96 }, () => "a")]);
});

test("so is one that would be compared with too many paths; with a folder's name it is not", async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => `folder${index % 2}/${index}`);
  const wide = readGlobs(Array.from({ length: 51 }, () => "*/1"));
  await assert.rejects(matching(wide, many), { code: "GIT_TOO_LARGE" });
  const narrow = readGlobs(Array.from({ length: 51 }, () => "folder1/1*1"));
  assert.equal((await matching(narrow, many)).size, 1111);
});
