import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { binaries, createCluster, reachablePrograms, runAs } from "./embedded-cluster.ts";
import { joinEmbeddedPostgres, makeDataFolder, stopEmbeddedPostgres } from "./embedded-postgres.ts";

const FIXTURE = fileURLToPath(new URL("./embedded-postgres.fixture.ts", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "countersign-embedded-"));
const asRoot = process.getuid?.() === 0;
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A process that joined, and the process id of the server it joined. */
async function hub(dataDir: string): Promise<{ process: ChildProcess; server: number }> {
  const child = fork(FIXTURE, [dataDir], { execArgv: [] });
  const answer = await Promise.race([once(child, "message"), once(child, "exit").then(() => undefined)]);
  assert.ok(answer, "the process joined");
  return { process: child, server: (answer[0] as { server: number }).server };
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** Resolves when the server ends a connection that no hub holds. */
async function watch(dataDir: string): Promise<{ stopped: Promise<unknown> }> {
  const data = join(dataDir, "postgres", "data");
  const password = readFileSync(join(data, "superuser.password"), "utf8");
  const client = new pg.Client({ host: data, port: 5432, user: "postgres", database: "postgres", password });
  client.on("error", () => {});
  const stopped = new Promise((resolve) => client.once("end", resolve));
  await client.connect();
  return { stopped };
}

describe("joinEmbeddedPostgres", () => {
  it("lets several processes create and start one server at once, and stops it after the last", async () => {
    const dataDir = join(scratch, "together");
    const hubs = await Promise.all([hub(dataDir), hub(dataDir), hub(dataDir)]);
    assert.equal(new Set(hubs.map(({ server }) => server)).size, 1);
    const { stopped } = await watch(dataDir);
    const ends = hubs.map(({ process }) => once(process, "exit"));
    for (const { process } of hubs) process.disconnect();
    await stopped;
    assert.deepEqual(
      await Promise.all(ends),
      hubs.map(() => [0, null]),
    );
  });

  it("leaves no server behind a hub that was killed, and starts again", async () => {
    const dataDir = join(scratch, "hub-killed");
    const first = await hub(dataDir);
    const { stopped } = await watch(dataDir);
    await killed(first.process);
    await stopped;
    const second = await hub(dataDir);
    assert.notEqual(second.server, first.server);
    second.process.disconnect();
    await stopEmbeddedPostgres(dataDir);
  });

  it("heals when hub and server were killed together", async () => {
    const dataDir = join(scratch, "both-killed");
    const first = await hub(dataDir);
    const { stopped } = await watch(dataDir);
    process.kill(first.server, "SIGKILL");
    await killed(first.process);
    await stopped;
    const second = await hub(dataDir);
    assert.notEqual(second.server, first.server);
    second.process.disconnect();
    await stopEmbeddedPostgres(dataDir);
  });

  it("brings back a server that died under a living hub", async () => {
    const dataDir = join(scratch, "server-killed");
    const { process: living, server } = await hub(dataDir);
    const { stopped } = await watch(dataDir);
    process.kill(server, "SIGKILL");
    await stopped;
    const embedded = await joinEmbeddedPostgres(dataDir);
    const client = new pg.Client(embedded.superuser);
    await client.connect();
    assert.equal((await client.query("select 1 as one")).rows[0].one, 1);
    await client.end();
    await embedded.release();
    living.disconnect();
    await once(living, "exit");
    await stopEmbeddedPostgres(dataDir);
  });

  it("sweeps up what a process that was killed while creating left behind", async () => {
    const dataDir = join(scratch, "unfinished");
    const { pid } = spawnSync(process.execPath, ["--version"]);
    const left = [`new-${pid}-12345678`, `password-${pid}-12345678`];
    for (const name of left) mkdirSync(join(dataDir, "postgres", name), { recursive: true });
    const underWay = `new-${process.pid}-12345678`;
    mkdirSync(join(dataDir, "postgres", underWay));
    const embedded = await joinEmbeddedPostgres(dataDir);
    const names = readdirSync(embedded.home);
    assert.deepEqual(
      [...left, underWay].filter((name) => names.includes(name)),
      [underWay],
    );
    await embedded.release();
    await stopEmbeddedPostgres(dataDir);
  });

  it("works in a folder whose path is longer than a socket's may be", async () => {
    const dataDir = join(scratch, "long".repeat(30));
    const embedded = await joinEmbeddedPostgres(dataDir);
    assert.ok(String(embedded.superuser.host).length < 85);
    await embedded.release();
    await stopEmbeddedPostgres(dataDir);
  });

  it("keeps the superuser's password from other users, and says who the server runs as", async () => {
    const dataDir = join(scratch, "passwords");
    const embedded = await joinEmbeddedPostgres(dataDir);
    const file = statSync(join(embedded.home, "data", "superuser.password"));
    assert.equal(file.mode & 0o777, 0o600);
    assert.equal(embedded.osUser, process.getuid?.() === 0 ? "postgres" : undefined);
    await embedded.release();
    await stopEmbeddedPostgres(dataDir);
  });

  it("gives root's server no capability: it reads no file of root's", { skip: !asRoot && "needs root" }, async () => {
    const dataDir = join(scratch, "closed", "data"); // scratch is closed to the server's user
    const embedded = await joinEmbeddedPostgres(dataDir);
    const [pid] = readFileSync(join(embedded.home, "data", "postmaster.pid"), "utf8").split("\n");
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) assert.match(status, new RegExp(`^${set}:\t0+$`, "m"));

    const open = mkdtempSync(join(tmpdir(), "countersign-open-"));
    chmodSync(open, 0o755);
    for (const folder of [open, scratch]) writeFileSync(join(folder, "readable"), "1\n", { mode: 0o644 });
    writeFileSync(join(open, "root.key"), "1\n", { mode: 0o600 });
    const client = new pg.Client(embedded.superuser);
    await client.connect();
    try {
      await client.query("create temporary table lines (line text)");
      const copy = (path: string) => client.query(`copy lines from ${client.escapeLiteral(path)}`);
      assert.equal((await copy(join(open, "readable"))).rowCount, 1);
      for (const path of [join(open, "root.key"), join(scratch, "readable")]) {
        await assert.rejects(copy(path), { code: "42501" });
        const program = client.escapeLiteral(`cat ${path}`);
        await assert.rejects(client.query(`copy lines from program ${program}`), { code: "38000" });
      }
    } finally {
      await client.end();
      rmSync(open, { recursive: true });
      await embedded.release();
      await stopEmbeddedPostgres(dataDir);
    }
  });

  it("says so where the server cannot start", async () => {
    const dataDir = join(scratch, "broken");
    const first = await joinEmbeddedPostgres(dataDir);
    await first.release();
    await stopEmbeddedPostgres(dataDir);
    writeFileSync(join(dataDir, "postgres", "data", "PG_VERSION"), "9\n");
    await assert.rejects(joinEmbeddedPostgres(dataDir), { code: "DATABASE_UNREACHABLE", message: /FATAL/ });
  });
});

describe("reachablePrograms", { skip: !asRoot && "needs root" }, () => {
  it("copies programs that lie in a closed folder, and refuses where the copy is out of reach too", async () => {
    const programs = await binaries();
    const as = runAs();
    const hidden = join(scratch, "package", "native");
    cpSync(join(dirname(programs.postgres), ".."), hidden, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(scratch, "package", "package.json"), '{"version":"1.2.3"}');
    const closed = { postgres: join(hidden, "bin", "postgres"), initdb: join(hidden, "bin", "initdb") };
    assert.throws(() => reachablePrograms(closed, as, join(scratch, "cache")), { code: "DATABASE_UNREACHABLE" });

    const open = mkdtempSync(join(tmpdir(), "countersign-open-"));
    try {
      chmodSync(open, 0o755);
      assert.deepEqual(reachablePrograms(programs, as, open), programs);
      const copy = reachablePrograms(closed, as, join(open, "cache"));
      assert.deepEqual(readdirSync(join(open, "cache")), ["postgresql-1.2.3"]);
      assert.deepEqual(reachablePrograms(closed, as, join(open, "cache")), copy);
      const data = join(scratch, "from-copy");
      mkdirSync(data);
      createCluster(copy.initdb, data, join(data, "data"), as);
      assert.ok(statSync(join(data, "data", "PG_VERSION")).isFile());
      chmodSync(join(open, "cache"), 0o777);
      assert.throws(() => reachablePrograms(closed, as, join(open, "cache")), { code: "DATABASE_UNREACHABLE" });
    } finally {
      rmSync(open, { recursive: true });
    }
  });
});

describe("makeDataFolder", () => {
  it("makes a folder that this user can write to", () => {
    makeDataFolder(join(scratch, "made", "deep"));
    assert.ok(statSync(join(scratch, "made", "deep")).isDirectory());
  });

  it("refuses a path with a file in its way, naming both variables", () => {
    writeFileSync(join(scratch, "a-file"), "");
    assert.throws(() => makeDataFolder(join(scratch, "a-file", "data")), {
      code: "DATA_FOLDER_UNUSABLE",
      message: /COUNTERSIGN_DATA_DIR.*COUNTERSIGN_CONFIG_DIR/,
    });
  });

  it("refuses a folder that belongs to somebody else", { skip: !asRoot && "needs root" }, () => {
    chmodSync(scratch, 0o711);
    const theirs = join(scratch, "theirs");
    mkdirSync(theirs, { mode: 0o755 });
    const source = new URL("./embedded-postgres.ts", import.meta.url).href;
    const script = `import { makeDataFolder } from ${JSON.stringify(source)};
      try { makeDataFolder(process.argv[1]); console.log("made") } catch (error) { console.log(error.code) }`;
    const make = (path: string) => {
      const args = ["--input-type=module", "-e", script, path];
      return execFileSync(process.execPath, args, { uid: 65_534, gid: 65_534, encoding: "utf8" }).trim();
    };
    assert.equal(make(join(theirs, "data")), "DATA_FOLDER_UNUSABLE");
    chmodSync(theirs, 0o777);
    assert.equal(make(join(theirs, "data")), "made");
  });
});
