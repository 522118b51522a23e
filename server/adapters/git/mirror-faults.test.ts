/** What a mirror survives: processes that are killed, several at once, files that are broken. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createEgress } from "../egress/egress.ts";
import type { FetchProcess } from "./fetch-process.fixture.ts";
import { ID, MB, MirrorFixture } from "./mirror.fixture.ts";
import { takeLock } from "./mirror-lock.ts";
import { type Certificate, makeCertificate, serveRepositories } from "./source.fixture.ts";

const program = fileURLToPath(new URL("./fetch-process.fixture.ts", import.meta.url));

suite("a mirror", () => {
  let certificates: MirrorFixture;
  let certificate: Certificate;
  let fixture: MirrorFixture;
  before(() => {
    certificates = new MirrorFixture();
    certificate = makeCertificate(certificates.scratch);
  });
  after(() => certificates.remove());
  beforeEach(async () => {
    fixture = new MirrorFixture();
    await fixture.open();
  });
  afterEach(() => fixture.remove());

  function start(
    url: string,
    allow: readonly string[] = [],
  ): ChildProcess & { stdout: NonNullable<ChildProcess["stdout"]> } {
    const { folder, root } = fixture;
    const given: FetchProcess = { folder, root, url, id: ID, allow, caFile: certificate.caFile };
    return spawn(process.execPath, [program, JSON.stringify(given)], { stdio: ["ignore", "pipe", "inherit"] });
  }
  const mirror = () => join(fixture.folder, `${ID}.git`);
  const packs = () => join(mirror(), "objects/pack");

  test("is fetched by the next hub where one was killed in the middle", async () => {
    await using server = await serveRepositories(fixture.root, certificate);
    const host = `localhost:${server.port}`;
    await fixture.open({ egress: createEgress({ allow: [host] }), caFile: certificate.caFile });
    const source = fixture.source();
    const first = source.commit({ a: "1" });
    const url = `https://${host}${source.folder.slice(fixture.root.length)}/.git`;
    await fixture.fetch(url);
    const second = source.commit({ a: randomBytes(400_000).toString("hex") });

    const held = server.hold();
    const hub = start(url, [host]);
    await held;
    hub.kill("SIGKILL");
    await once(hub, "close");
    assert.equal(fixture.leftovers().length, 1, "it was not killed in the middle");
    assert.deepEqual(await fixture.read(first, "a"), { a: "1" });

    server.release();
    assert.equal((await fixture.fetch(url)).id, second);
    assert.deepEqual(fixture.leftovers(), []);
  });

  test("is fetched by several processes at once, and all see the same head", async () => {
    const source = fixture.source();
    source.commit({ a: "1" });
    await fixture.fetch(source.url);
    const head = source.commit({ a: "2", b: randomBytes(MB) });
    const processes = [start(source.url), start(source.url), start(source.url)];
    const own = [fixture.fetch(source.url), fixture.fetch(source.url)];
    const answers = await Promise.all(processes.map(({ stdout }) => text(stdout)));
    assert.deepEqual(answers, [head, head, head]);
    assert.deepEqual(
      (await Promise.all(own)).map(({ id }) => id),
      [head, head],
    );
    assert.deepEqual(await fixture.read(head, "a"), { a: "2" });
    assert.deepEqual(fixture.leftovers(), []);
  });

  test("is rid of what a killed process left", async () => {
    const source = fixture.source();
    source.commit({ a: "1" });
    await fixture.fetch(source.url);
    for (const name of ["tmp_pack_x", `pack-${"a".repeat(40)}.pack`]) writeFileSync(join(packs(), name), "half");
    writeFileSync(join(mirror(), "refs/countersign/head.lock"), "");
    writeFileSync(join(mirror(), "config.lock"), "");
    mkdirSync(join(fixture.folder, `${ID}.git.fetch-gone/home`), { recursive: true });
    const kept = `${ID.replace("1", "2")}.git.fetch-other`;
    mkdirSync(join(fixture.folder, kept));
    const head = source.commit({ a: "2" });
    assert.equal((await fixture.fetch(source.url)).id, head);
    assert.deepEqual(fixture.leftovers(), [kept], "another repository's job is not this one's to end");
    assert(readdirSync(packs()).every((name) => /^pack-[0-9a-f]{40}\.(?:pack|idx|rev)$/.test(name)));
    assert(!readdirSync(packs()).some((name) => name.includes("aaaaaaaa")));
  });

  const damages: Readonly<Record<string, () => void>> = {
    "packs cut short": () => {
      for (const name of readdirSync(packs()))
        truncateSync(join(packs(), name), statSync(join(packs(), name)).size / 2);
    },
    "packs gone": () => rmSync(packs(), { recursive: true }),
    "objects gone": () => rmSync(join(mirror(), "objects"), { recursive: true }),
    "refs gone": () => rmSync(join(mirror(), "refs"), { recursive: true }),
    "a head of nonsense": () => writeFileSync(join(mirror(), "refs/countersign/head"), "nonsense"),
    "a head that is not there": () => writeFileSync(join(mirror(), "refs/countersign/head"), `${"a".repeat(40)}\n`),
    "its configuration gone": () => rmSync(join(mirror(), "config")),
    "a configuration of nonsense": () => writeFileSync(join(mirror(), "config"), "[[["),
    "HEAD gone": () => rmSync(join(mirror(), "HEAD")),
  };
  for (const [what, damage] of Object.entries(damages)) {
    test(`is mended by a fetch: ${what}`, async () => {
      const source = fixture.source();
      source.commit({ a: "1" });
      await fixture.fetch(source.url);
      damage();
      const head = source.commit({ a: "2" });
      assert.equal((await fixture.fetch(source.url)).id, head);
      assert.deepEqual(await fixture.read(head, "a"), { a: "2" });
    });
  }

  test("is fetched anew where reading found it broken, also where there is nothing new", async () => {
    const source = fixture.source();
    const head = source.commit({ a: randomBytes(50_000).toString("hex") });
    await fixture.fetch(source.url);
    const pack = join(packs(), readdirSync(packs()).find((name) => name.endsWith(".pack")) ?? "");
    rmSync(pack);
    await assert.rejects(fixture.read(head, "a"), { code: "INTERNAL" });
    assert.equal((await fixture.fetch(source.url)).id, head);
    assert.equal((await fixture.read(head, "a"))["a"]?.length, 100_000);
  });

  test("is packed anew when many fetches have left many packs", async () => {
    const source = fixture.source();
    const first = source.commit({ a: "0" });
    await fixture.fetch(source.url);
    const count = () => readdirSync(packs()).filter((name) => name.endsWith(".pack")).length;
    // what fifty fetches leave, in short: packs that are complete
    for (let made = 0; made < 50; made++) {
      source.git("commit", "--quiet", "--allow-empty", "--message", String(made));
      const options = { cwd: source.folder, input: source.git("rev-parse", "HEAD") };
      execFileSync("git", ["pack-objects", "-q", join(packs(), "pack")], options);
    }
    assert(count() > 50);
    const head = source.git("rev-parse", "HEAD").trim();
    assert.equal((await fixture.fetch(source.url)).id, head);
    assert.equal(count(), 1);
    assert.equal(await fixture.mirror.isAncestor(ID, first, head), true);
  });
});

suite("the lock", () => {
  let fixture: MirrorFixture;
  beforeEach(() => {
    fixture = new MirrorFixture();
  });
  afterEach(() => fixture.remove());
  const { signal } = new AbortController();

  test("is held by one at a time, and waited for as long as one likes", async () => {
    const file = join(fixture.scratch, "lock");
    const held = await takeLock(file, signal);
    const impatient = new AbortController();
    const waiting = takeLock(file, impatient.signal);
    impatient.abort(new Error("enough"));
    await assert.rejects(waiting, { name: "AbortError" });
    let taken = false;
    const next = takeLock(file, signal).then((lock) => {
      taken = true;
      return lock;
    });
    using _ = await takeLock(`${file}-other`, signal);
    assert.equal(taken, false);
    held[Symbol.dispose]();
    (await next)[Symbol.dispose]();
  });

  test("is free again when its holder is killed", async () => {
    const file = join(fixture.scratch, "lock");
    const lock = JSON.stringify(fileURLToPath(new URL("./mirror-lock.ts", import.meta.url)));
    const holder = spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { takeLock } from ${lock};
         await takeLock(${JSON.stringify(file)}, new AbortController().signal);
         process.stdout.write("held");
         setInterval(() => {}, 1000);`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(holder.stdout, "data");
    let free = false;
    const waiting = takeLock(file, signal).then((taken) => {
      free = true;
      return taken;
    });
    (await takeLock(`${file}-other`, signal))[Symbol.dispose]();
    assert.equal(free, false);
    holder.kill("SIGKILL");
    (await waiting)[Symbol.dispose]();
  });
});
