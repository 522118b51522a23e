/** Fetching real repositories from folders, and what is refused on the way. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { HubError } from "../../errors.ts";
import { LIMIT, MB, MirrorFixture } from "./mirror.fixture.ts";

const urlRefused = { code: "REPOSITORY_URL_REFUSED" };
const notARepository = { code: "GIT_NOT_A_REPOSITORY" };

suite("a mirror of a folder's repository", () => {
  let fixture: MirrorFixture;
  beforeEach(async () => {
    fixture = new MirrorFixture();
    await fixture.open();
  });
  afterEach(() => fixture.remove());

  test("brings the branch's head, then what is new, and tells what it does", async () => {
    const source = fixture.source();
    const first = source.commit({ "fleet.yaml": "a: 1\n" }, "the first");
    const { id, author, subject, committedAt } = await fixture.fetch(source.url);
    assert.deepEqual({ id, author, subject }, { id: first, author: "Grace", subject: "the first" });
    assert.equal(committedAt.toISOString(), "2026-01-02T03:00:00.000Z");
    assert.deepEqual(await fixture.read(first, "fleet.yaml"), { "fleet.yaml": "a: 1\n" });
    assert(fixture.progress.length > 0);

    const second = source.commit({ "fleet.yaml": "a: 2\n" });
    assert.equal((await fixture.fetch(source.url)).id, second);
    assert.deepEqual(await fixture.read(second, "fleet.yaml"), { "fleet.yaml": "a: 2\n" });
    assert.deepEqual(await fixture.read(first, "fleet.yaml"), { "fleet.yaml": "a: 1\n" });
    assert.equal((await fixture.fetch(source.url)).id, second);
    assert.equal(await fixture.mirror.isAncestor("nobody", first, second), false);
    assert.deepEqual(fixture.leftovers(), []);
  });

  test("is closed to other users", async () => {
    const source = fixture.source();
    source.commit({ a: "" });
    await fixture.fetch(source.url);
    for (const name of readdirSync(fixture.folder).filter((name) => name.endsWith(".git"))) {
      assert.equal(statSync(join(fixture.folder, name)).mode & 0o777, 0o700, name);
    }
    assert.equal(statSync(fixture.folder).mode & 0o777, 0o700);
  });

  test("knows which commit is in another one's history, and takes a branch that was rewritten", async () => {
    const source = fixture.source();
    const base = source.commit({ a: "1" });
    const old = source.commit({ a: "2" });
    await fixture.fetch(source.url);
    const { mirror } = fixture;
    const id =
      readdirSync(fixture.folder)
        .find((name) => name.endsWith(".git"))
        ?.slice(0, -4) ?? "";
    assert.equal(await mirror.isAncestor(id, base, old), true);
    assert.equal(await mirror.isAncestor(id, old, base), false);
    assert.equal(await mirror.isAncestor(id, old, old), true);
    source.git("reset", "--quiet", "--hard", base);
    const rewritten = source.commit({ a: "3" });
    assert.equal((await fixture.fetch(source.url)).id, rewritten);
    assert.equal(await mirror.isAncestor(id, old, rewritten), false);
    assert.equal(await mirror.isAncestor(id, base, rewritten), true);
    for (const odd of ["f".repeat(40), "main", "--all", "", `${base}^`]) {
      assert.equal(await mirror.isAncestor(id, odd, rewritten), false, odd);
      assert.equal(await mirror.isAncestor(id, base, odd), false, odd);
    }
  });

  test("reads repositories with SHA-256 ids, and bare ones, and moves from one kind to the other", async () => {
    const source = fixture.source();
    const short = source.commit({ a: "1" });
    assert.equal((await fixture.fetch(source.url)).id, short);
    rmSync(join(source.folder, ".git"), { recursive: true });
    source.git("init", "--quiet", "-b", "main", "--object-format=sha256");
    const long = source.commit({ a: "2" });
    assert.equal(long.length, 64);
    assert.equal((await fixture.fetch(source.url)).id, long);
    assert.deepEqual(await fixture.read(long, "a"), { a: "2" });
    const bare = join(fixture.root, "bare.git");
    source.git("clone", "--quiet", "--bare", "--no-local", ".", bare);
    assert.equal((await fixture.fetch(pathToFileURL(bare).href)).id, long);
  });

  test("says that a repository is empty, until it is not", async () => {
    const source = fixture.source();
    await assert.rejects(fixture.fetch(source.url), { code: "GIT_REPOSITORY_EMPTY" });
    source.commit({ a: "1" });
    await fixture.fetch(source.url);
  });

  test("names the branches there are where one is missing, and keeps what it had", async () => {
    const source = fixture.source();
    const id = source.commit({ a: "1" });
    source.git("branch", "release/2");
    await fixture.fetch(source.url);
    await assert.rejects(fixture.fetch(source.url, { branch: "mian" }), (error: HubError) => {
      assert.equal(error.code, "GIT_BRANCH_MISSING");
      assert.deepEqual(error.details?.["branches"], ["main", "release/2"]);
      return error.message.includes("main, release/2");
    });
    assert.deepEqual(await fixture.read(id, "a"), { a: "1" });
    assert.equal((await fixture.fetch(source.url, { branch: "release/2" })).id, id);
    await assert.rejects(fixture.fetch(source.url, { branch: "--upload-pack=id" }), { code: "INPUT_INVALID" });
  });

  test("knows a folder that is no repository", async () => {
    const folder = join(fixture.root, "papers");
    mkdirSync(folder);
    await assert.rejects(fixture.fetch(pathToFileURL(folder).href), notARepository);
    mkdirSync(join(folder, "objects"));
    mkdirSync(join(folder, "refs"));
    writeFileSync(join(folder, "HEAD"), "nonsense");
    await assert.rejects(fixture.fetch(pathToFileURL(folder).href), notARepository);
    rmSync(folder, { recursive: true });
    await assert.rejects(fixture.fetch(pathToFileURL(folder).href), urlRefused);
    const source = fixture.source();
    source.commit({ a: "1" });
    source.git("clone", "--quiet", "--bare", "--no-local", ".", folder);
    await fixture.fetch(pathToFileURL(folder).href);
  });

  test("reads folders that are listed and no others, whatever links there are", async () => {
    const source = fixture.source();
    source.commit({ a: "1" });
    const outside = join(fixture.scratch, "root-twin");
    mkdirSync(outside);
    source.git("clone", "--quiet", "--no-local", ".", join(outside, "secret"));
    symlinkSync(join(outside, "secret"), join(fixture.root, "link"));
    symlinkSync(outside, join(fixture.root, "folder-link"));
    for (const path of [
      "root-twin/secret",
      "root/link",
      "root/folder-link/secret",
      "root/../root-twin/secret",
      "none",
    ]) {
      const url = `file://${fixture.scratch}/${path}`;
      await assert.rejects(fixture.mirror.checkSource({ url, branch: "main" }), urlRefused, path);
      await assert.rejects(fixture.fetch(url), urlRefused, path);
    }
    // a link that stays inside is followed, and its target is what is remembered
    symlinkSync(source.folder, join(fixture.root, "alias"));
    assert.equal(await fixture.mirror.checkSource({ url: `file://${fixture.root}/alias`, branch: "main" }), source.url);
    await fixture.fetch(`file://${fixture.root}/alias`);
    await fixture.open({ fileRoots: [] });
    await assert.rejects(fixture.fetch(source.url), urlRefused);
    await fixture.open({ fileRoots: [join(fixture.root, "folder-link")] });
    await fixture.fetch(`file://${fixture.root}/folder-link/secret`);
  });

  test("does not go on into another repository from the one it was given", async () => {
    const secret = join(fixture.scratch, "secret");
    const source = fixture.source();
    source.commit({ a: "1" });
    source.git("clone", "--quiet", "--no-local", ".", secret);
    const gitFolder = join(source.folder, ".git");
    const refusedWith = async (make: () => void, unmake: () => void) => {
      make();
      await assert.rejects(fixture.fetch(source.url), urlRefused, make.toString());
      unmake();
      await fixture.fetch(source.url);
      await fixture.mirror.forget(
        readdirSync(fixture.folder)
          .find((name) => name.endsWith(".git"))
          ?.slice(0, -4) ?? "",
      );
    };
    const file = (name: string, text: string) => {
      const path = join(gitFolder, name);
      return refusedWith(
        () => writeFileSync(path, text),
        () => rmSync(path),
      );
    };
    await file("objects/info/alternates", `${secret}/.git/objects\n`);
    await file("commondir", `${secret}/.git\n`);
    const link = (name: string, target: string) => {
      const path = join(gitFolder, name);
      const kept = existsSync(path);
      return refusedWith(
        () => {
          if (kept) renameSync(path, `${path}.kept`);
          symlinkSync(target, path);
        },
        () => {
          rmSync(path);
          if (kept) renameSync(`${path}.kept`, path);
        },
      );
    };
    for (const name of ["objects", "refs", "HEAD", "packed-refs"]) await link(name, join(secret, ".git", name));
    await link("objects/pack", join(secret, ".git/objects/pack"));
    await link("objects/pack/pack-x.pack", join(secret, ".git/config"));
    await link("objects/zz", join(secret, ".git/objects"));
    await link("refs/heads/outside", join(secret, ".git/HEAD"));
    await link("refs/heads/folder", join(secret, ".git/refs"));
    const config = readFileSync(join(gitFolder, "config"), "utf8");
    // Git takes a second section on the line of the first
    await refusedWith(
      () => writeFileSync(join(gitFolder, "config"), `${config}[x] [include] path = ${secret}/.git/config\n`),
      () => writeFileSync(join(gitFolder, "config"), config),
    );
    for (const [key, value] of [
      ["include.path", join(secret, ".git/config")],
      ["includeIf.gitdir:/.path", join(secret, ".git/config")],
      ["extensions.partialClone", "origin"],
      ["remote.origin.promisor", "true"],
    ] as const) {
      await refusedWith(
        () => void source.git("config", key, value),
        () => void source.git("config", "--unset", key),
      );
    }
    rmSync(join(source.folder, ".git"), { recursive: true });
    writeFileSync(join(source.folder, ".git"), `gitdir: ${secret}/.git\n`);
    await assert.rejects(fixture.fetch(source.url), urlRefused);
  });

  test("runs nothing that a repository's configuration or hooks name", async () => {
    const source = fixture.source();
    source.commit({ a: "1", ".gitattributes": "* filter=canary diff=canary merge=canary\n" });
    const canary = join(fixture.scratch, "canary");
    const script = join(fixture.scratch, "canary.sh");
    writeFileSync(script, `#!/bin/sh\ntouch '${canary}'\n`, { mode: 0o755 });
    const hooks = join(source.folder, ".git/hooks");
    mkdirSync(hooks, { recursive: true });
    for (const hook of ["post-checkout", "pre-auto-gc", "post-update", "reference-transaction", "fsmonitor-watchman"]) {
      writeFileSync(join(hooks, hook), `#!/bin/sh\ntouch '${canary}'\n`, { mode: 0o755 });
    }
    const keys = ["core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass", "core.gitProxy"];
    const more = ["uploadpack.packObjectsHook", "filter.canary.smudge", "filter.canary.clean", "diff.canary.textconv"];
    for (const key of [...keys, ...more, "credential.helper", "gpg.program", "core.hooksPath"]) {
      source.git("config", key, key === "core.hooksPath" ? hooks : script);
    }
    const { id } = await fixture.fetch(source.url);
    assert.deepEqual(await fixture.read(id, "a"), { a: "1" });
    assert.equal(existsSync(canary), false, "something of the repository's was run");
    source.git("status"); // git by itself runs it
    assert.equal(existsSync(canary), true, "the canary proves nothing");
  });

  test("takes nothing from the user's own configuration and environment", async () => {
    const source = fixture.source();
    const id = source.commit({ a: "1" });
    const other = fixture.source();
    other.commit({ a: "2" });
    const home = join(fixture.scratch, "home");
    mkdirSync(home);
    const canary = join(fixture.scratch, "canary");
    const hook = join(fixture.scratch, "hook");
    writeFileSync(hook, `#!/bin/sh\ntouch '${canary}'\nexec "$@"\n`, { mode: 0o755 });
    writeFileSync(
      join(home, ".gitconfig"),
      `[url "${other.url}"]\n\tinsteadOf = ${source.url}\n[uploadpack]\n\tpackObjectsHook = ${hook}\n`,
    );
    const own = { HOME: home, GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "core.hooksPath", GIT_CONFIG_VALUE_0: home };
    const evil = { ...own, GIT_TRACE: canary, GIT_ALTERNATE_OBJECT_DIRECTORIES: home, GIT_EXEC_PATH: home };
    const before = { ...process.env };
    Object.assign(process.env, evil);
    try {
      await fixture.open();
      assert.equal((await fixture.fetch(source.url)).id, id);
    } finally {
      for (const name of Object.keys(evil)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
    assert.equal(existsSync(canary), false, "the user's configuration was followed");
    const twin = join(fixture.scratch, "twin");
    execFileSync("git", ["clone", "--quiet", "--no-local", source.url, twin], { env: { ...before, HOME: home } });
    assert.equal(existsSync(canary), true, "the canary proves nothing");
  });

  test("ends a fetch that brings more than a mirror may hold, and keeps what it had", async () => {
    const source = fixture.source();
    const small = source.commit({ a: "1" });
    await fixture.fetch(source.url);
    source.commit({ blob: randomBytes(4 * LIMIT) });
    await assert.rejects(fixture.fetch(source.url), { code: "GIT_TOO_LARGE" });
    assert.deepEqual(fixture.leftovers(), []);
    assert.deepEqual(await fixture.read(small, "a"), { a: "1" });
    await assert.rejects(fixture.fetch(source.url, { id: "another" }), { code: "GIT_TOO_LARGE" });
    source.git("reset", "--quiet", "--hard", small);
    const fits = source.commit({ blob: randomBytes(LIMIT / 2) });
    assert.equal((await fixture.fetch(source.url)).id, fits);
  });

  test("gives the room of a history that was rewritten to the new one", async () => {
    const source = fixture.source();
    const base = source.commit({ a: "1" });
    source.commit({ blob: randomBytes(3 * MB) });
    await fixture.fetch(source.url);
    for (let rewritten = 0; rewritten < 2; rewritten++) {
      source.git("reset", "--quiet", "--hard", base);
      const id = source.commit({ blob: randomBytes(3 * MB) });
      assert.equal((await fixture.fetch(source.url)).id, id);
    }
  });

  test("refuses a tree of more files than it may have, without listing them all", async () => {
    const source = fixture.source();
    source.commit({ a: "1" });
    const tree = (lines: string) =>
      execFileSync("git", ["mktree"], { cwd: source.folder, input: lines, encoding: "utf8" }).trim();
    const blob = source.git("rev-parse", "HEAD:a").trim();
    const lines = (kind: string, id: string) => Array.from({ length: 10 }, (_, n) => `${kind} ${id}\t${n}\n`).join("");
    const levels = (depth: number) => {
      let id = tree(lines("100644 blob", blob));
      for (let level = 1; level < depth; level++) id = tree(lines("040000 tree", id));
      source.git("update-ref", "refs/heads/main", source.git("commit-tree", id, "-m", "many").trim());
    };
    levels(12); // a million million files in a dozen objects
    await assert.rejects(fixture.fetch(source.url), { code: "GIT_TOO_LARGE" });
    levels(3);
    await fixture.fetch(source.url);
  });

  test("refuses objects that are malformed", async () => {
    const source = fixture.source();
    const good = source.commit({ a: "1" });
    const blob = source.git("rev-parse", "HEAD:a").trim();
    const evil = Buffer.concat([Buffer.from("100644 .git\0"), Buffer.from(blob, "hex")]);
    const tree = execFileSync("git", ["hash-object", "--literally", "-w", "-t", "tree", "--stdin"], {
      cwd: source.folder,
      input: evil,
      encoding: "utf8",
    }).trim();
    source.git("update-ref", "refs/heads/main", source.git("commit-tree", tree, "-m", "evil").trim());
    await assert.rejects(fixture.fetch(source.url), { code: "GIT_TREE_REFUSED" });
    source.git("update-ref", "refs/heads/main", good);
    assert.equal((await fixture.fetch(source.url)).id, good);
  });

  test("is not taken from a copy whose history is cut off", async () => {
    const source = fixture.source();
    source.commit({ a: "1" });
    source.commit({ a: "2" });
    const shallow = join(fixture.root, "shallow");
    source.git("clone", "--quiet", "--depth", "1", source.url, shallow);
    await assert.rejects(fixture.fetch(pathToFileURL(shallow).href), notARepository);
    await fixture.fetch(source.url);
  });

  test("is forgotten as a whole, and can be made again", async () => {
    const source = fixture.source();
    const id = source.commit({ a: "1" });
    await fixture.fetch(source.url, { id: "one" });
    await fixture.fetch(source.url, { id: "two" });
    await fixture.mirror.forget("one");
    await fixture.mirror.forget("never-made");
    assert.deepEqual(
      readdirSync(fixture.folder).filter((name) => name.endsWith(".git")),
      ["two.git"],
    );
    await fixture.fetch(source.url, { id: "one" });
    assert.deepEqual(await fixture.read(id, "a", [], "one"), { a: "1" });
  });

  test("ends when it is told to, and in time", async () => {
    const source = fixture.source();
    const id = source.commit({ a: "1" });
    const given = new AbortController();
    given.abort();
    const repository = { repositoryId: "one", url: source.url, branch: "main" };
    await assert.rejects(fixture.mirror.fetch(repository, fixture.options(given.signal)), { code: "CANCELLED" });
    const during = new AbortController();
    const pending = fixture.mirror.fetch(repository, { signal: during.signal, progress: () => during.abort() });
    await assert.rejects(pending, { code: "CANCELLED" });
    await fixture.open({ timeoutMs: 1 });
    await assert.rejects(fixture.fetch(source.url), { code: "TIMEOUT" });
    await fixture.open();
    assert.equal((await fixture.fetch(source.url)).id, id);
    assert.deepEqual(fixture.leftovers(), []);
  });
});
