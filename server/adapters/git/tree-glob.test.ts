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
  const involved = ["*a*a*a", "**/**/**/a", "{a,b}".repeat(5), "{{a,b},c}", "{1..9}", "!(a)", "+(a|b)", "!a", "#a"];
  for (const glob of [...involved, "a".repeat(501)]) {
    assert.throws(() => readGlobs([glob]), { code: "DESIRED_STATE_INVALID" }, glob);
  }
  assert.throws(() => readGlobs(Array.from({ length: 101 }, () => "a")), { code: "DESIRED_STATE_INVALID" });
  readGlobs(["*a*", "**/*/**/a", "{a,b}".repeat(4), "a{b,c}", ...Array.from({ length: 96 }, () => "a")]);
});

test("comparing takes no longer than it may, gives way to a cancellation, and a name that no file system has is no match", async () => {
  const many = Array.from({ length: 1_000 }, (_, index) => `${"a".repeat(250)}${index}`);
  const globs = readGlobs(["*a*{b0,b1,b2,b3,b4,b5,b6,b7,b8,b9}"]);
  await assert.rejects(matching(globs, many.slice(0, 50), { mostMs: 0 }), { code: "GIT_TOO_LARGE" });
  assert.equal((await matching(globs, many.slice(0, 50))).size, 0);
  const stopped = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(matching(globs, many, { signal: stopped }), { message: "stopped" });
  const long = "a".repeat(256);
  assert.deepEqual([...(await matching(readGlobs(["a*"]), [long, long.slice(1)]))], [long.slice(1)]);
  const folders = Array.from({ length: 20_000 }, (_, index) => `folder${index % 2}/${index}`);
  assert.equal((await matching(readGlobs(["folder1/1*1"]), folders)).size, 1111);
});
