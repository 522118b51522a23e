/** Reading a commit's files: what is read, and what in a tree is not followed. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import type { ScratchRepository } from "../../../scripts/scratch-repository.ts";
import type { HubError } from "../../errors.ts";
import { ID, MB, MirrorFixture } from "./mirror.fixture.ts";

const treeRefused = { code: "GIT_TREE_REFUSED" };
const missing = { code: "GIT_PATH_MISSING" };
const tooLarge = { code: "GIT_TOO_LARGE" };

suite("the files of a commit", () => {
  let fixture: MirrorFixture;
  let source: ScratchRepository;
  beforeEach(async () => {
    fixture = new MirrorFixture();
    await fixture.open({ maxBytes: 100 * MB });
    source = fixture.source();
  });
  afterEach(() => fixture.remove());

  /** Commits, fetches, and reads. */
  async function read(
    files: Readonly<Record<string, string | Buffer>>,
    path: string,
    includes: readonly string[] = [],
  ) {
    const id = source.commit(files);
    await fixture.fetch(source.url);
    return fixture.read(id, path, includes);
  }

  test("are the named one, then those that it includes, in the order of paths, each once", async () => {
    const id = source.commit({
      "z/fleet.yaml": "include",
      "b/2.yaml": "b2",
      "b/1.yaml": "b1",
      "b/same.yaml": "b1",
      "a/x/y.yaml": "axy",
      "a/x/y.txt": "not asked for",
      "ä.yaml": "ä ☃",
      "empty.yaml": "",
    });
    await fixture.fetch(source.url);
    const given: string[] = [];
    const files = await fixture.mirror.readFiles(ID, id, "z/fleet.yaml", (text) => {
      given.push(text);
      return ["b/*.yaml", "**/*.yaml", "b/1.yaml", "z/fleet.yaml"];
    });
    assert.deepEqual(given, ["include"]);
    assert.deepEqual(files, [
      { path: "z/fleet.yaml", text: "include" },
      { path: "a/x/y.yaml", text: "axy" },
      { path: "b/1.yaml", text: "b1" },
      { path: "b/2.yaml", text: "b2" },
      { path: "b/same.yaml", text: "b1" },
      { path: "empty.yaml", text: "" },
      { path: "ä.yaml", text: "ä ☃" },
    ]);
  });

  test("are missed by name: the named one, one that is a folder, one that is included by its path", async () => {
    await read({ "a/fleet.yaml": "1" }, "a/fleet.yaml");
    const id = source.git("rev-parse", "HEAD").trim();
    for (const path of ["fleet.yaml", "a", "a/fleet.yml", "A/fleet.yaml", "a/fleet.yaml/b"]) {
      await assert.rejects(fixture.read(id, path), (error: HubError) => {
        assert.equal(error.code, "GIT_PATH_MISSING", path);
        return error.message.includes(path);
      });
    }
    await assert.rejects(fixture.read(id, "a/fleet.yaml", ["a/other.yaml"]), missing);
    assert.deepEqual(await fixture.read(id, "a/fleet.yaml", ["b/*.yaml"]), { "a/fleet.yaml": "1" });
  });

  test("do not lie outside of the tree", async () => {
    await read({ "fleet.yaml": "1", "a/b.yaml": "2" }, "fleet.yaml");
    const id = source.git("rev-parse", "HEAD").trim();
    for (const path of [
      "../fleet.yaml",
      "/etc/passwd",
      "a/../fleet.yaml",
      ".git/config",
      "a\\b.yaml",
      "./fleet.yaml",
    ]) {
      await assert.rejects(fixture.read(id, path), treeRefused, path);
      await assert.rejects(fixture.read(id, "fleet.yaml", [path]), treeRefused, path);
    }
    await assert.rejects(fixture.read(id, "fleet.yaml", ["../*"]), treeRefused);
    assert.deepEqual(Object.keys(await fixture.read(id, "fleet.yaml", ["a/*"])), ["fleet.yaml", "a/b.yaml"]);
  });

  test("are not reached through links, and links that are in nobody's way are let be", async () => {
    source.commit({ "real/a.yaml": "1", "fleet.yaml": "2" });
    symlinkSync("/etc/passwd", join(source.folder, "out.yaml"));
    symlinkSync("fleet.yaml", join(source.folder, "in.yaml"));
    symlinkSync("real", join(source.folder, "linked"));
    const id = source.commit({ other: "" });
    await fixture.fetch(source.url);
    for (const path of ["out.yaml", "in.yaml", "linked", "linked/a.yaml"]) {
      await assert.rejects(fixture.read(id, path), treeRefused, path);
      await assert.rejects(fixture.read(id, "fleet.yaml", [path]), treeRefused, path);
    }
    for (const glob of ["*.yaml", "o*.yaml", "linked/*.yaml", "link*"]) {
      await assert.rejects(fixture.read(id, "fleet.yaml", [glob]), treeRefused, glob);
    }
    assert.deepEqual(await fixture.read(id, "fleet.yaml", ["real/*.yaml", "f*.yaml"]), {
      "fleet.yaml": "2",
      "real/a.yaml": "1",
    });
  });

  test("are not in submodules, which are never fetched", async () => {
    const inner = fixture.source();
    const innerHead = inner.commit({ "a.yaml": "inner" });
    source.commit({ "fleet.yaml": "1", ".gitmodules": `[submodule "sub"]\n\tpath = sub\n\turl = ${inner.url}\n` });
    source.git("update-index", "--add", "--cacheinfo", `160000,${innerHead},sub`);
    source.git("commit", "--quiet", "--message", "a submodule");
    const id = source.git("rev-parse", "HEAD").trim();
    await fixture.fetch(source.url);
    for (const path of ["sub", "sub/a.yaml"]) {
      await assert.rejects(fixture.read(id, path), treeRefused, path);
      await assert.rejects(fixture.read(id, "fleet.yaml", [path]), treeRefused, path);
    }
    await assert.rejects(fixture.read(id, "fleet.yaml", ["s*"]), treeRefused);
    assert.deepEqual(await fixture.read(id, "fleet.yaml", ["f*"]), { "fleet.yaml": "1" });
  });

  test("are UTF-8, or refused with the place of the fault", async () => {
    const faulty = Buffer.concat([Buffer.from("a: 1\nb: ä "), Buffer.from([0xff]), Buffer.from("\nc: 1\n")]);
    await assert.rejects(read({ "fleet.yaml": faulty }, "fleet.yaml"), (error: HubError) => {
      assert.equal(error.code, "DESIRED_STATE_INVALID");
      assert.deepEqual(error.details?.["problems"], [
        { file: "fleet.yaml", line: 2, column: 6, path: "", message: "is no UTF-8" },
      ]);
      return true;
    });
    const latin1 = Buffer.from("naïve", "latin1");
    await assert.rejects(read({ "fleet.yaml": "1", "b.yaml": latin1 }, "fleet.yaml", ["b.yaml"]), {
      code: "DESIRED_STATE_INVALID",
    });
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from("b: ☃\n")]);
    assert.deepEqual(await read({ "fleet.yaml": marked }, "fleet.yaml"), { "fleet.yaml": "b: ☃\n" });
  });

  test("have names that are UTF-8 and safe to show where they are included", async () => {
    const blobs = Buffer.from("1");
    const id = source.commit({ "fleet.yaml": blobs, "d/ok.yaml": blobs, "d/a\nb.yaml": blobs });
    await fixture.fetch(source.url);
    await assert.rejects(fixture.read(id, "fleet.yaml", ["d/*.yaml"]), treeRefused);
    assert.deepEqual(Object.keys(await fixture.read(id, "fleet.yaml", ["d/ok*"])), ["fleet.yaml", "d/ok.yaml"]);
  });

  test("are not larger than they may be, nor more, each and together", async () => {
    const large = "x".repeat(4 * MB);
    assert.equal((await read({ "fleet.yaml": large }, "fleet.yaml"))["fleet.yaml"]?.length, large.length);
    await assert.rejects(read({ "fleet.yaml": `${large}x` }, "fleet.yaml"), tooLarge);
    await assert.rejects(read({ "fleet.yaml": "1", "a.yaml": `${large}x` }, "fleet.yaml", ["a.yaml"]), tooLarge);

    const eight = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`many/${n}.yaml`, large]));
    const files = { ...eight, "fleet.yaml": "1", "a.yaml": "2" };
    await assert.rejects(read(files, "fleet.yaml", ["many/*"]), tooLarge);
    const id = source.git("rev-parse", "HEAD").trim();
    assert.equal(Object.keys(await fixture.read(id, "fleet.yaml", ["many/[0-6].yaml"])).length, 8);

    const thousand = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`most/${n}.yaml`, String(n)]));
    await assert.rejects(read(thousand, "fleet.yaml", ["most/*"]), tooLarge);
    const most = source.git("rev-parse", "HEAD").trim();
    assert.equal(Object.keys(await fixture.read(most, "fleet.yaml", ["most/[1-9]*.yaml"])).length, 1000);
  });
});
