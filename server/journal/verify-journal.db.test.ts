import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { generateKeyPair, publicKeyFromDer, sign } from "../../contracts/formats/ed25519.ts";
import { issueLaneCertificate, laneOrigin } from "../../contracts/formats/lane-certificate.ts";
import { journalSource } from "../adapters/postgres/journal-source.ts";
import { callOf, ended, type JournalFixture, journalFixture } from "./journal-fixture.ts";
import { verifyJournal } from "./verify-journal.ts";

/** One journal with three lanes, two of them long gone; each case changes it as a database owner could, and undoes that. */
let fixture: JournalFixture;
let account: string;
/** Epochs of the lanes, oldest first. */
let epochs: number[];

const TABLES = [
  "lane_certificate",
  "lane",
  "receipt",
  "lane_commit",
  "account_log",
  "log_entry",
  "lane_integrated",
  "in_flight",
];

before(async () => {
  fixture = await journalFixture();
  account = await fixture.addAccount();
  const neighbour = await fixture.addAccount();
  for (let lane = 0; lane < 3; lane++) {
    const journal = await fixture.open();
    for (let round = 0; round < 4; round++) {
      await Promise.all([
        ...Array.from({ length: 3 }, () => fixture.change(journal, callOf(account))),
        fixture.change(journal, callOf(neighbour)),
      ]);
      journal.note(callOf(account), ended("FORBIDDEN"));
    }
    await journal.intent(callOf(account));
    if (lane < 2) await journal.close();
    if (lane === 1) await fixture.sweep(await fixture.open());
  }
  await fixture.integrate();
  const { rows } = await fixture.superuser.query("select epoch_no::int from lane where account_id = $1 order by 1", [
    account,
  ]);
  epochs = rows.map(({ epoch_no }) => epoch_no);
  await fixture.superuser.query("set session_replication_role = replica"); // who tampers asks no foreign keys
  for (const table of TABLES) await fixture.superuser.query(`create table kept_${table} as table ${table}`);
});

after(() => fixture[Symbol.asyncDispose]());

async function restore(): Promise<void> {
  for (const table of TABLES) {
    await fixture.superuser.query(`delete from ${table}; insert into ${table} select * from kept_${table}`);
  }
}

async function firstBadAfter(sql: string, values: readonly unknown[] = []) {
  const { rowCount } = await fixture.superuser.query(sql, [...values]);
  assert.ok(rowCount, "the case changes something");
  const verdict = await fixture.verify(account);
  await restore();
  return verdict.ok ? undefined : verdict.firstBad;
}

test("a good journal holds, and the verdict says how much and under what limits", async () => {
  const verdict = await fixture.verify(account);
  const { rows } = await fixture.superuser.query("select count(*)::int as n from receipt where account_id = $1", [
    account,
  ]);
  assert.deepEqual(
    { ...verdict, limits: verdict.limits.length },
    { ok: true, profile: "team", lanes: epochs.length, receipts: rows[0].n, limits: 1 },
  );
});

/** The middle lane; $1 is the account, $2 the epoch. */
const HERE = "account_id = $1 and epoch_no = $2";
/** What is changed, how, and the first bad sequence; none where that depends on how the appends met in commits. */
const CASES: readonly (readonly [string, string, number?])[] = [
  [
    "a byte of a statement",
    `update receipt set statement = set_byte(statement, 100, get_byte(statement, 100) # 1) where ${HERE} and sequence = 5`,
    5,
  ],
  [
    "a word of a statement",
    `update receipt set statement = replace(statement::text, '50454e44494e47', '50454e44494e67')::bytea where ${HERE} and sequence = 1`,
    1,
  ],
  ["white space in a statement", `update receipt set statement = statement || ' ' where ${HERE} and sequence = 5`, 5],
  ["a code beside the statement", `update receipt set code = 'TIMEOUT' where ${HERE} and sequence = 6`, 6],
  ["a principal beside the statement", `update receipt set principal_id = null where ${HERE} and sequence = 0`, 0],
  ["a time beside the statement", `update receipt set at = at + interval '1 ms' where ${HERE} and sequence = 7`, 7],
  ["a deleted receipt", `delete from receipt where ${HERE} and sequence = 8`, 8],
  ["a middle cut out", `delete from receipt where ${HERE} and sequence between 3 and 9`, 3],
  ["an end cut off", `delete from receipt where ${HERE} and sequence > 20`, 21],
  ["a receipt moved elsewhere", `update receipt set sequence = sequence + 1000 where ${HERE} and sequence = 4`, 4],
  [
    "a receipt that no commit holds",
    `insert into receipt select account_id, epoch_no, sequence + 1000, gen_random_uuid(), phase, action, principal_id, code, at, statement
     from receipt where ${HERE} and sequence = 4`,
    1004,
  ],
  [
    "a note's signature",
    `update lane_commit set note = overlay(note placing 'AAAA' from length(note) - 40) where ${HERE}`,
  ],
  [
    "a note of another commit",
    `update lane_commit set note = (select note from lane_commit where ${HERE} order by size limit 1) where ${HERE}`,
  ],
  ["a commit's root", `update lane_commit set root = sha256(root) where ${HERE}`],
  ["a lane's place in a commit", `update lane_commit set lane_index = lane_index + 1 where ${HERE}`],
  ["a path in a commit", `update lane_commit set path = sha256(path) where ${HERE}`],
];

for (const [what, sql, sequence] of CASES) {
  test(`found: ${what}`, async () => {
    const [, epoch] = epochs;
    const bad = await firstBadAfter(sql, [account, epoch]);
    assert.deepEqual([bad?.epoch, sequence && bad?.sequence], [epoch, sequence]);
    assert.equal((await fixture.verify(account)).ok, true);
  });
}

test("found: two receipts in each other's place, numbered as if they were right", async () => {
  const swap = `update receipt a set statement = b.statement, call_id = b.call_id, phase = b.phase, action = b.action,
      principal_id = b.principal_id, code = b.code, at = b.at
    from kept_receipt b where b.account_id = a.account_id and b.epoch_no = a.epoch_no and b.sequence = 9 - a.sequence
      and a.account_id = $1 and a.epoch_no = $2 and a.sequence in (4, 5)`;
  await fixture.superuser.query("drop index receipt_once"); // neither does who tampers ask unique ones
  const bad = await firstBadAfter(swap, [account, epochs[0]]);
  await fixture.superuser.query("create unique index receipt_once on receipt (account_id, call_id, phase)");
  assert.deepEqual([bad?.epoch, bad?.sequence], [epochs[0], 4]);
});

test("found: the commit that ends a lane is gone; or the lane claims to be shorter", async () => {
  const [epoch] = epochs;
  const end = "(select max(size) from lane_commit where account_id = $1 and epoch_no = $2)";
  const gone = await firstBadAfter(
    `delete from lane_commit where account_id = $1 and epoch_no = $2 and size = ${end}`,
    [account, epoch],
  );
  assert.equal(gone?.epoch, epoch);
  const shorter = await firstBadAfter("update lane set size = size - 1 where account_id = $1 and epoch_no = $2", [
    account,
    epoch,
  ]);
  assert.equal(shorter?.epoch, epoch);
});

test("found: a certificate that was changed, is another lane's, or is signed with another key", async () => {
  const [epoch = 0] = epochs;
  const change = "update lane_certificate set envelope = $3 where account_id = $1 and epoch_no = $2";
  const { rows } = await fixture.superuser.query<{ certificate: string; neighbours: string }>(
    `select envelope as certificate, (select envelope from lane_certificate o
         where o.account_id <> l.account_id and o.epoch_no = l.epoch_no) as neighbours
     from lane_certificate l where account_id = $1 and epoch_no = $2`,
    [account, epoch],
  );
  const { certificate = "", neighbours = "" } = rows[0] ?? {};
  const forger = generateKeyPair();
  const forged = await issueLaneCertificate(
    {
      origin: laneOrigin(fixture.hubId, epoch, account),
      epoch: { id: "e", no: epoch, origin: `countersign/${fixture.hubId}/${epoch}` },
      processKey: forger.publicKey,
      rootKey: forger.publicKey,
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: new Date(Date.now() + 86_400_000),
    },
    async (message) => sign(message, forger.privateKey),
  );
  const middle = certificate.length >> 1;
  const flipped = `${certificate.slice(0, middle)}${certificate[middle] === "A" ? "B" : "A"}${certificate.slice(middle + 1)}`;
  for (const other of [flipped, `${certificate} `, neighbours, forged, "{}", ""]) {
    const bad = await firstBadAfter(change, [account, epoch, other]);
    assert.equal(bad?.epoch, epoch, other);
  }
  const gone = await firstBadAfter("delete from lane_certificate where account_id = $1 and epoch_no = $2", [
    account,
    epoch,
  ]);
  assert.equal(gone?.epoch, epoch);
});

test("the root key can be one that the reader brings along: the account's own is taken, another refused", async () => {
  const source = journalSource(fixture.database, account);
  const { versions } = await fixture.keys.metadata(account, "root");
  const known = publicKeyFromDer(versions[0]?.publicKey as Buffer);
  const options = { source, hubId: fixture.hubId, accountId: account };
  const verdict = await verifyJournal({ ...options, rootKeys: [known] });
  assert.equal(verdict.ok, true);
  const foreign = await verifyJournal({ ...options, rootKeys: [generateKeyPair().publicKey] });
  assert.deepEqual([foreign.ok, foreign.firstBad?.epoch], [false, epochs[0]]);
  const unpinned = await verifyJournal(options);
  assert.deepEqual([unpinned.ok, unpinned.limits.length], [true, verdict.limits.length + 1]);
  const elsewhere = await verifyJournal({ ...options, hubId: account, rootKeys: [known] });
  assert.equal(elsewhere.ok, false);
});

test("found: an intent of a process that ended, whose call has no outcome; while the sweeper is due, that is said", async () => {
  const other = await fixture.addAccount();
  const journal = await fixture.open();
  const record = callOf(other);
  await journal.intent(record);
  const { epoch } = journal.status();
  await fixture.superuser.query("update journal_epoch set fenced_at = now(), closed_at = now() where no = $1", [epoch]);
  const due = await fixture.verify(other);
  assert.deepEqual([due.ok, due.limits.filter((limit) => limit.includes("AMBIGUOUS")).length], [true, 1]);
  await fixture.superuser.query("delete from in_flight where call_id = $1", [record.callId]);
  const { ok, firstBad } = await fixture.verify(other);
  assert.deepEqual([ok, firstBad?.receiptId], [false, `${record.callId}.intent`]);
});

test("found: an outcome that is younger than the key that signed it; one that is older is not", async () => {
  const other = await fixture.addAccount();
  const journal = await fixture.open();
  const [old, young] = [callOf(other), callOf(other)];
  await journal.outcome(old, { code: "TIMEOUT", at: new Date("2026-01-01") });
  assert.equal((await fixture.verify(other)).ok, true);
  await journal.outcome(young, { code: "TIMEOUT", at: new Date(Date.now() + 30 * 86_400_000) });
  assert.equal((await fixture.verify(other)).firstBad?.receiptId, `${young.callId}.outcome`);
});

/** [what, SQL with $1 the account] */
const LOG_CASES: readonly (readonly [string, string])[] = [
  ["a code in the log", "update log_entry set code = 'OK' where account_id = $1 and position = 0"],
  ["an action in the log", "update log_entry set action = 'x' where account_id = $1 and position = 10"],
  ["a call in the log", "update log_entry set call_id = gen_random_uuid() where account_id = $1 and position = 10"],
  ["a position taken out", "delete from log_entry where account_id = $1 and position = 10"],
  ["the log's end", "delete from log_entry where account_id = $1 and position > 20"],
  ["a log that claims to be shorter", "update account_log set next_position = next_position - 2 where account_id = $1"],
  [
    "an entry that points at no receipt",
    "update log_entry set sequence = sequence + 1000 where account_id = $1 and position = 30",
  ],
  [
    "entries that change places",
    "update log_entry set position = 1000003 - position where account_id = $1 and position in (1, 2)",
  ],
];

for (const [what, sql] of LOG_CASES) {
  test(`found in the log: ${what}`, async () => {
    const bad = await firstBadAfter(sql, [account]);
    assert.equal(typeof bad?.sequence, "number");
  });
}

/** Columns whose every change must be found, with an expression that changes them. */
const BYTES = (column: string) =>
  `set_byte(${column}, $N % length(${column}), get_byte(${column}, $N % length(${column})) # 4)`;
const TEXT = (column: string) =>
  `overlay(${column} placing case substr(${column}, 1 + $N % length(${column}), 1) when 'x' then 'y' else 'x' end from 1 + $N % length(${column}) for 1)`;
const CHANGES: readonly string[] = [
  `update receipt set statement = ${BYTES("statement")}`,
  `update receipt set action = ${TEXT("action")}`,
  `update receipt set code = ${TEXT("code")}`,
  "update receipt set call_id = gen_random_uuid()",
  "delete from receipt",
  `update lane_commit set note = ${TEXT("note")}`,
  `update lane_commit set root = ${BYTES("root")}`,
  `update lane_certificate set envelope = ${TEXT("envelope")}`,
  `update lane set head = ${BYTES("head")}`,
  `update lane set root = ${BYTES("root")}`,
  "update lane set size = size + 1",
  `update log_entry set code = ${TEXT("code")}`,
  "update log_entry set at = at - interval '1 hour'",
  "delete from log_entry",
];

test("any one change of any one row is found", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...CHANGES), fc.nat(), fc.nat(10_000), async (change, pick, n) => {
      const table = /(?:update|from) (\w+)/.exec(change)?.[1] as string;
      const { rows } = await fixture.superuser.query(
        "select ctid::text from " + table + " where account_id = $1 order by ctid",
        [account],
      );
      const target = rows[pick % rows.length];
      const bad = await firstBadAfter(`${change.replaceAll("$N", String(n))} where ctid = $1::tid`, [target.ctid]);
      assert.ok(bad, change);
    }),
    { numRuns: 60 },
  );
});
