import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import pg from "pg";
import { v7 } from "uuid";
import type { BackupView } from "../../contracts/backup/backup.ts";
import { openRootKeyFile } from "../../server/adapters/embedded-keys/root-key-file.ts";
import { emptyDatabase } from "../../server/adapters/postgres/test-database.ts";
import { CredentialsFixture, keptRow, putRow } from "../../server/credentials.fixture.ts";
import { SmallDisk } from "../../server/small-disk.fixture.ts";
import { ask, moduleNamed, settledRequest, urlOf } from "../../server/test-hub.ts";
import { stopDatabase } from "../demo/scratch-database.ts";
import { COMMAND, type Ended, runCommand } from "../scratch-hub.fixture.ts";
import { holdWriting, partOf } from "./backup/leftovers.ts";

const PUT = "system_fleet_put_object";
const PASSPHRASE = "five-words-of-a-test-file";

let f: CredentialsFixture;
let folder: string;
let file: string;
let identityFile: string;
let recipient: string;
let waiting: string;
/** Of the one backup that all of these look at. */
let made: { id: string; bytes: number; records: number; digest: string; receipt: { callId: string } };

const run = async (args: readonly string[], more: NodeJS.ProcessEnv = {}) => {
  const ended = await runCommand({ ...f.git.hubs.env(), ...f.env, ...more }, ["backup", ...args, "--json"]);
  return { ...ended, answer: ended.out === "" ? undefined : JSON.parse(ended.out) };
};
/** As Ada, with her token and key. */
const asAda = () => {
  const config = join(folder, "ada");
  cpSync(f.git.ada.folder.path, join(config, "cli"), { recursive: true });
  return { COUNTERSIGN_CONFIG_DIR: config, COUNTERSIGN_URL: f.git.hub.url };
};
const opening = () => ["--identity-file", identityFile];
const codeOf = ({ answer }: { answer: { error?: { code: string } } | undefined }) => answer?.error?.code;

/** What lies beside a backup's name that is not whole yet. */
const partsOf = (path: string) =>
  readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.`) && name.endsWith(".part"));

/** An empty database, and the settings that lead to it. */
async function place() {
  const db = await emptyDatabase();
  const superuser = new pg.Pool({ ...db.superuser, max: 1 });
  superuser.on("error", () => {});
  return {
    env: { DATABASE_URL: urlOf(db.runtime), COUNTERSIGN_MIGRATION_URL: urlOf(db.owner) },
    rows: async (text: string) => (await superuser.query(text)).rows as Record<string, unknown>[],
    async [Symbol.asyncDispose]() {
      await superuser.end();
      await db[Symbol.asyncDispose]();
    },
  };
}

const journalHolds = async (env: NodeJS.ProcessEnv): Promise<Ended> => {
  const ended = await runCommand({ ...f.git.hubs.env(), ...env }, ["journal", "verify", "--json"]);
  assert.equal(ended.code, 0, ended.out + ended.err);
  return ended;
};

before(async () => {
  f = await CredentialsFixture.open();
  folder = mkdtempSync(join(tmpdir(), "countersign-backups-"));
  file = join(folder, "hub.age");
  identityFile = join(folder, "identity");
  const identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  writeFileSync(identityFile, `# a test's\n${identity}\n`, { mode: 0o600 });
  writeFileSync(join(folder, "passphrase"), `${PASSPHRASE}\n`, { mode: 0o600 });
  await f.ready("reader");
  await f.store("empty");
  await f.git.settle(await f.git.repository("fleet"));
  await f.git.hubs.addAccount("Berta");
  waiting = await ask(f.git.agent, PUT, { object: moduleNamed("waits") });
  const { code, err, answer } = await run(["create", file, "--recipient", recipient]);
  assert.equal(code, 0, err + JSON.stringify(answer));
  made = answer;
});
after(async () => {
  await f[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test("a backup is written beside a running hub, for its owner alone, and is on record", async () => {
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(file).size, made.bytes);
  assert.deepEqual(partsOf(file), []);
  assert.match(readFileSync(file, "latin1"), /^age-encryption\.org\/v1\n/);
  const [row] = await f.git.hubs.sql<{ digest: string; retired_at: Date | null }>(
    "select digest, retired_at from backup where id = $1",
    [made.id],
  );
  assert.deepEqual(row, { digest: made.digest, retired_at: null });
  const keys = await f.git.hubs.sql("select account_id, lowest_version from backup_key where backup_id = $1", [
    made.id,
  ]);
  assert.deepEqual(keys, [{ account_id: f.git.hubs.accountId, lowest_version: 1 }], "who keeps nothing is left out");
  const receipts = await f.git.hubs.sql(
    "select action, phase, code from receipt where action like 'backup%' order by at, phase",
  );
  assert.deepEqual(receipts, [
    { action: "backup_begin", phase: "intent", code: "PENDING" },
    { action: "backup_begin", phase: "outcome", code: "OK" },
    { action: "backup_finish", phase: "intent", code: "PENDING" },
    { action: "backup_finish", phase: "outcome", code: "OK" },
  ]);
  assert.equal(codeOf(await run(["create", file, "--recipient", recipient])), "ALREADY_EXISTS");
});

test("one that cannot be written leaves nothing, and no rotation waits for it", async () => {
  const other = join(folder, "refused.age");
  assert.equal(codeOf(await run(["create", other, "--recipient", "age1nobody"])), "INPUT_INVALID");
  assert.ok(!existsSync(other));
  assert.deepEqual(partsOf(other), []);
  assert.deepEqual(
    await f.git.hubs.sql("select from backup where retired_at is null and file_name = 'refused.age'"),
    [],
  );
});

test("what is missing to begin is named: a folder, or what takes the place of an answer; nothing is on record", async () => {
  const nowhere = join(folder, "nowhere");
  const { answer } = await run(["create", join(nowhere, "lost.age"), "--recipient", recipient]);
  assert.deepEqual([answer.error.code, answer.error.details], ["CONFIG_INVALID", { folder: nowhere }]);
  const unasked = await run(["create", join(folder, "lost.age")]);
  assert.equal(codeOf(unasked), "CONFIG_INVALID");
  for (const option of ["--passphrase-file", "--recipient"]) assert.ok(unasked.out.includes(option), unasked.out);
  assert.deepEqual(await f.git.hubs.sql("select from backup where file_name = 'lost.age'"), []);
});

test("a disk that takes nothing more is told by its own code, and nothing is left on it", {
  skip: SmallDisk.missing,
}, async () => {
  using disk = new SmallDisk(1);
  disk.fill(4_096);
  const full = await run(["create", join(disk.folder, "full.age"), "--recipient", recipient]);
  assert.equal(codeOf(full), "BACKUP_DISK_FULL", full.err + full.out);
  assert.deepEqual(readdirSync(disk.folder), ["filler"]);
  disk.free();
  const written = await run(["create", join(disk.folder, "full.age"), "--recipient", recipient]);
  assert.equal(written.code, 0, written.err + written.out);
});

test("what comes next is told as it can be typed", async () => {
  const path = join(folder, "told by night.age");
  const keyFile = join(folder, "passphrase");
  const env = { ...f.git.hubs.env(), ...f.env };
  const { code, out, err } = await runCommand(env, ["backup", "create", path, "--passphrase-file", keyFile]);
  assert.equal(code, 0, err);
  assert.ok(out.includes(`npx countersign backup verify '${path}' --passphrase-file ${keyFile}`), out);
});

test("one under a passphrase verifies: rows, journals, credentials and keys; and nothing is left behind", async () => {
  const sealed = join(folder, "sealed.age");
  const passphrase = ["--passphrase-file", join(folder, "passphrase")];
  const created = await run(["create", sealed, ...passphrase]);
  assert.equal(created.code, 0, created.err);
  const { code, err, answer } = await run(["verify", sealed, ...passphrase]);
  assert.equal(code, 0, err + JSON.stringify(answer));
  const { findings, accounts, credentials, opened, waiting: empty, rows, keys } = answer;
  assert.deepEqual(
    { findings, accounts, credentials, opened, empty, rows, keys },
    { findings: [], accounts: 2, credentials: 2, opened: 1, empty: 1, rows: created.answer.records, keys: 6 },
  );
  assert.deepEqual(await f.git.hubs.sql("select from pg_database where datname like 'countersign_verify%'"), []);
});

test("what does not hold is found, and told by its place", async () => {
  const spoilt = join(folder, "spoilt.age");
  const row = await keptRow(f.git, "reader");
  await f.git.hubs.sql("update credential set allowed_hosts = '{elsewhere.example}' where name = 'reader'");
  try {
    assert.equal((await run(["create", spoilt, "--recipient", recipient])).code, 0);
  } finally {
    await putRow(f.git, row);
  }
  const { code, answer } = await run(["verify", spoilt, ...opening()]);
  assert.equal(code, 6);
  assert.deepEqual(
    answer.findings.map(({ what, code: fault }: { what: string; code: string }) => [what, fault]),
    [[`credential ${String(row["id"])}`, "CREDENTIAL_REPLACED"]],
  );
  assert.deepEqual([answer.credentials, answer.opened, answer.waiting], [2, 0, 1]);
});

describe("restored into an empty database", () => {
  let there: Awaited<ReturnType<typeof place>>;
  before(async () => {
    there = await place();
    const { code, err, answer } = await run(["restore", file, ...opening()], there.env);
    assert.equal(code, 0, err + JSON.stringify(answer));
    assert.deepEqual(answer.faults, []);
  });
  after(() => there[Symbol.asyncDispose]());

  test("it is guarded as before, and recorded", async () => {
    const bare = await there.rows(
      "select relname from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity and not relforcerowsecurity",
    );
    assert.deepEqual(bare, []);
    const off = await there.rows("select tgname from pg_trigger where tgenabled <> 'O' and not tgisinternal");
    assert.deepEqual(off, []);
    assert.deepEqual(await there.rows("select to_regclass('hub_restore')::text as marker"), [{ marker: null }]);
    const receipts = await there.rows("select phase, code from receipt where action = 'backup_restore' order by phase");
    assert.deepEqual(receipts, [
      { phase: "intent", code: "PENDING" },
      { phase: "outcome", code: "OK" },
    ]);
  });

  test("a hub goes on from there: old receipts verify, what waited can be decided, new calls are recorded", async () => {
    const hub = await f.git.hubs.start({ ...f.env, ...there.env });
    const operator = f.git.ada.operator(hub);
    const { output } = await operator.done("system_credentials_get_metadata", { name: "reader" });
    assert.equal((output["credential"] as { materialVersion?: number })["materialVersion"] ?? 1, 1);
    await f.git.ada.decide(hub, waiting);
    assert.equal((await settledRequest(operator, waiting)).state, "executed");
    await f.git.ada.run(hub, PUT, { object: moduleNamed("new") });
    const { output: shown } = await operator.done("system_backup_list");
    const [backup] = shown["items"] as BackupView[];
    assert.ok(backup?.finishedAt, "its own backup is on record as whole, although its rows are older than its end");
    assert.deepEqual(
      [backup.id, backup.sha256, backup.bytes, backup.records],
      [made.id, made.digest, made.bytes, made.records],
    );
    await hub.stop();
    await journalHolds(there.env);
    assert.equal((await f.git.hubs.sql("select from fleet_object where name = 'new'")).length, 0, "the other hub's");
  });

  test("it is never restored over a hub", async () => {
    assert.equal(codeOf(await run(["restore", file, ...opening()], there.env)), "DATABASE_NOT_EMPTY");
    assert.equal(codeOf(await run(["restore", file, ...opening()])), "DATABASE_NOT_EMPTY");
  });
});

describe("what does not open or was changed", () => {
  const damaged = (name: string, change: (bytes: Buffer) => Buffer): string => {
    const path = join(folder, `${name}.age`);
    writeFileSync(path, change(readFileSync(file)));
    return path;
  };

  test("nothing of it is restored", async () => {
    await using there = await place();
    const cases = [
      damaged("cut", (bytes) => bytes.subarray(0, bytes.length - 100)),
      damaged("changed", (bytes) => {
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        return bytes;
      }),
      damaged("other", () => Buffer.from("not an age file")),
    ];
    for (const path of cases) {
      const ended = await run(["restore", path, ...opening()], there.env);
      assert.equal(codeOf(ended), "BACKUP_DAMAGED", ended.err);
      assert.equal(ended.code, 6);
    }
    const accounts = await there.rows("select to_regclass('account') is not null as there");
    if (accounts[0]?.["there"]) assert.deepEqual(await there.rows("select from account"), []);
  });

  test("another's identity, or a passphrase, does not open it", async () => {
    const other = join(folder, "other");
    writeFileSync(other, await generateX25519Identity(), { mode: 0o600 });
    assert.equal(codeOf(await run(["verify", file, "--identity-file", other])), "BACKUP_KEY_WRONG");
    const passphrase = ["--passphrase-file", join(folder, "passphrase")];
    assert.equal(codeOf(await run(["verify", file, ...passphrase])), "BACKUP_KEY_WRONG");
  });
});

describe("killed in the middle", () => {
  const crash = (point: string) => ({
    COUNTERSIGN_TEST_MODE: "1",
    COUNTERSIGN_TEST_CRASH_AT: `during-execution@${point}`,
  });

  test("a backup never has its name before it is whole; the next one to its place takes away what was left, and no other does", async () => {
    const other = join(folder, "killed.age");
    const killed = await run(["create", other, "--recipient", recipient], crash("backup_create"));
    assert.equal(killed.code, null, killed.out);
    const [row] = await f.git.hubs.sql<{ id: string; finished_at: Date | null }>(
      "select id, finished_at from backup where file_name = 'killed.age'",
    );
    assert.equal(row?.finished_at, null);
    assert.ok(!existsSync(other));
    assert.deepEqual(partsOf(other), [`killed.age.${row?.id}.part`]);
    const beside = await run(["create", join(folder, "beside.age"), "--recipient", recipient]);
    assert.equal(beside.code, 0, beside.out);
    assert.equal(partsOf(other).length, 1, "it is no other place's to take away");

    // one that nobody here knows may be another hub's, which writes it at this moment
    const foreign = `${other}.${v7()}.part`;
    writeFileSync(foreign, "another's");
    assert.equal(codeOf(await run(["create", other, "--recipient", recipient])), "ALREADY_EXISTS");
    rmSync(foreign);

    // killed a moment later, it would have had its name: then it is whole, and rotations wait for it
    writeFileSync(other, "whole");
    assert.equal(codeOf(await run(["create", other, "--recipient", recipient])), "ALREADY_EXISTS");
    assert.deepEqual(await f.git.hubs.sql("select retired_at from backup where id = $1", [row?.id]), [
      { retired_at: null },
    ]);
    rmSync(other);

    const longer = `${other}.2.${v7()}.part`; // of a backup whose name begins alike
    writeFileSync(longer, "another's");
    const again = await run(["create", other, "--recipient", recipient]);
    assert.ok(existsSync(longer));
    rmSync(longer);
    assert.equal(again.code, 0, again.out);
    assert.ok(again.err.includes(row?.id ?? ""), again.err);
    assert.deepEqual(partsOf(other), []);
    const retired = await f.git.hubs.sql<{ gone: boolean }>(
      "select retired_at is not null as gone from backup where id = $1",
      [row?.id],
    );
    assert.deepEqual(retired, [{ gone: true }], "and no rotation waits for it");
  });

  test("one whose part is only just there is known for this hub's own", async () => {
    const path = join(folder, "early.age");
    const early = { ...crash("backup_create"), COUNTERSIGN_TEST_CRASH_AT: "after-intent@backup_create" };
    const killed = await run(["create", path, "--recipient", recipient], early);
    assert.equal(killed.code, null, killed.out);
    const [part = ""] = partsOf(path);
    assert.equal(statSync(join(folder, part)).size, 0);
    const again = await run(["create", path, "--recipient", recipient]);
    assert.equal(again.code, 0, again.out);
    assert.deepEqual(partsOf(path), []);
    const states = await f.git.hubs.sql(
      "select finished_at is not null as finished, retired_at is not null as retired from backup where file_name = 'early.age' order by id",
    );
    assert.deepEqual(states, [
      { finished: false, retired: true },
      { finished: true, retired: false },
    ]);
  });

  test("what is no broken-off part of this very file is left, and its backup is not retired", async () => {
    const path = join(folder, "night.age");
    const elsewhere = join(folder, "kept-elsewhere");
    writeFileSync(elsewhere, "whole");
    const begun = async (fileName: string) => {
      const id = v7();
      await f.git.hubs.sql("insert into backup (account_id, id, file_name) values ($1, $2, $3)", [
        f.git.hubs.accountId,
        id,
        fileName,
      ]);
      return id;
    };
    const create = () => run(["create", path, "--recipient", recipient]);
    const [mine, other] = [await begun("night.age"), await begun("other-night.age")];
    const [part, foreign] = [partOf(path, mine), partOf(path, other)];
    const cases: { at: string; lay: () => void; take: () => void }[] = [
      // named already, and moved away before the part was removed
      { at: part, lay: () => linkSync(elsewhere, part), take: () => rmSync(part) },
      { at: part, lay: () => symlinkSync(elsewhere, part), take: () => rmSync(part) },
      { at: part, lay: () => mkdirSync(part), take: () => rmdirSync(part) },
      { at: foreign, lay: () => writeFileSync(foreign, "planted"), take: () => rmSync(foreign) },
    ];
    for (const { at, lay, take } of cases) {
      lay();
      assert.equal(codeOf(await create()), "ALREADY_EXISTS");
      assert.deepEqual(partsOf(path), [basename(at)]);
      take();
    }
    const retired = () =>
      f.git.hubs.sql("select id from backup where id in ($1, $2) and retired_at is not null", [mine, other]);
    assert.deepEqual(await retired(), []);
    assert.equal(readFileSync(elsewhere, "utf8"), "whole");
    writeFileSync(part, "half of it");
    assert.equal((await create()).code, 0);
    assert.deepEqual(await retired(), [{ id: mine }]);
  });

  test("one that is being written is not taken for one whose command was killed", async () => {
    const path = join(folder, "busy.age");
    const { COUNTERSIGN_MIGRATION_URL: owner = "" } = f.git.hubs.env();
    const id = v7();
    await f.git.hubs.sql("insert into backup (account_id, id, file_name) values ($1, $2, 'busy.age')", [
      f.git.hubs.accountId,
      id,
    ]);
    writeFileSync(partOf(path, id), "half of it");
    {
      await using _writing = await holdWriting({ connectionString: owner }, id);
      assert.equal(codeOf(await run(["create", path, "--recipient", recipient])), "ALREADY_EXISTS");
      assert.ok(existsSync(partOf(path, id)));
    }
    assert.equal((await run(["create", path, "--recipient", recipient])).code, 0);
    assert.ok(!existsSync(partOf(path, id)));
  });

  test("no hub starts on a database that is restored by half; the same command finishes it", async () => {
    await using there = await place();
    const killed = await run(["restore", file, ...opening()], { ...there.env, ...crash("backup_restore") });
    assert.equal(killed.code, null, killed.out);
    assert.deepEqual(await there.rows("select from account"), []);
    const start = { ...f.git.hubs.env(), ...f.env, ...there.env };
    const refused = await runCommand(start, ["start", "--json"]);
    assert.notEqual(refused.code, 0);
    assert.match(refused.out + refused.err, /RESTORE_UNFINISHED/);
    const { code, err } = await run(["restore", file, ...opening()], there.env);
    assert.equal(code, 0, err);
    await journalHolds(there.env);
  });

  test("one whose rows are there already is finished, by its own backup and root key alone", async () => {
    await using there = await place();
    const killed = await run(["restore", file, ...opening()], { ...there.env, ...crash("backup_finish_restore") });
    assert.equal(killed.code, null, killed.out);
    assert.deepEqual(await there.rows("select loaded from hub_restore"), [{ loaded: true }]);
    const other = join(folder, "spoilt.age");
    assert.equal(codeOf(await run(["restore", other, ...opening()], there.env)), "DATABASE_NOT_EMPTY");
    const otherKey = join(folder, "other.key");
    await openRootKeyFile({ path: otherKey, dataFolder: join(folder, "data"), create: true });
    const locked = await run(["restore", file, ...opening()], { ...there.env, COUNTERSIGN_ROOT_KEY_FILE: otherKey });
    assert.equal(codeOf(locked), "KEY_SERVICE_UNREACHABLE", locked.err);
    assert.doesNotMatch(locked.err, /^\{/m, "no line of a log");
    const { code, err } = await run(["restore", file, ...opening()], there.env);
    assert.equal(code, 0, err);
    assert.deepEqual(await there.rows("select to_regclass('hub_restore')::text as marker"), [{ marker: null }]);
    await journalHolds(there.env);
  });
});

test("a backup from before the root key was replaced is told apart, and opens with the key that is kept beside it", async () => {
  const { COUNTERSIGN_CONFIG_DIR: config = "" } = f.git.hubs.env();
  const path = join(folder, "replaced.key");
  await openRootKeyFile({ path, dataFolder: join(folder, "data"), create: true });
  const former = ["20200101T000000Z", "29991231T000000Z"].map((time) => `${path}.until-${time}`);
  for (const kept of former) cpSync(join(config, "hub", "root.key"), kept);
  const verify = (rootKeyFile: string) =>
    run(["verify", file, ...opening()], { COUNTERSIGN_ROOT_KEY_FILE: rootKeyFile });
  const { answer } = await verify(path);
  assert.deepEqual([answer.error.code, answer.error.details.formerKeyFiles], ["KEY_SERVICE_UNREACHABLE", former]);
  assert.ok(answer.error.message.includes(`COUNTERSIGN_ROOT_KEY_FILE=${former[1]}`), answer.error.message);
  const { code, err } = await verify(former[1] as string);
  assert.equal(code, 0, err);
});

test("the start that is told after a restore into a folder leads there, whatever else is set", async () => {
  const home = mkdtempSync(join(tmpdir(), "countersign restored-"));
  chmodSync(home, 0o711); // root's PostgreSQL is another user
  const into = join(home, "data");
  const env = { ...f.git.hubs.env(), ...f.env };
  try {
    const { code, out, err } = await runCommand(env, ["backup", "restore", file, "--into", into, ...opening()]);
    assert.equal(code, 0, err);
    const line = /\S+= .*npx countersign start$/m.exec(out)?.[0] ?? "";
    const looking = line.replace("npx countersign start", `"${process.execPath}" "${COMMAND}" doctor --json`);
    const { findings } = JSON.parse(execFileSync("/bin/sh", ["-c", looking], { env, encoding: "utf8" }));
    const of = (check: string) => findings.find((finding: { check: string }) => finding.check === check);
    assert.match(of("database").says, /embedded/, line);
    assert.equal(of("account keys").state, "sound");
  } finally {
    if (existsSync(into)) await stopDatabase(into);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
});

test("a retired backup is retired once, by a person's signature", async () => {
  const url = asAda();
  const { code, err, answer } = await run(["retire", made.id, "--yes"], url);
  assert.equal(code, 0, err);
  assert.ok(answer.retiredAt);
  assert.equal(codeOf(await run(["retire", made.id, "--yes"], url)), "CONFLICT");
  const { items } = (await run(["list"], url)).answer;
  assert.equal(items.find(({ id }: { id: string }) => id === made.id)?.retiredAt, answer.retiredAt);
});
