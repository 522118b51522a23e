import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import { generateKeyPair, publicKeyFromDer, publicKeyToPem } from "../../../contracts/formats/ed25519.ts";
import { claimedCertificate } from "../../../contracts/formats/lane-certificate.ts";
import { type PortableProof, verifyReceiptProof } from "../../../contracts/formats/receipt-proof.ts";
import type { CallRecord } from "../../domain/evidence/call-record.ts";
import type { ReceiptFilter } from "../../domain/evidence/receipt-store.ts";
import { callOf, ended, type JournalFixture, journalFixture } from "../../journal/journal-fixture.ts";
import { receiptStore } from "./receipt-store.ts";

/** One account with a long lane of mixed calls, one with a short one. */
let fixture: JournalFixture;
let account: string;
let other: string;
const changes: CallRecord[] = [];
const refused: CallRecord[] = [];

before(async () => {
  fixture = await journalFixture();
  account = await fixture.addAccount();
  other = await fixture.addAccount();
  const journal = await fixture.open();
  for (let i = 0; i < 150; i++) changes.push(callOf(account, { action: i % 10 ? "system_a" : "system_b" }));
  for (let i = 0; i < 5; i++) refused.push(callOf(account, { principal: { id: v7(), kind: "operator" } }));
  await Promise.all(changes.map((record) => fixture.change(journal, record)));
  for (const record of refused) journal.note(record, ended("FORBIDDEN"));
  await Promise.all(Array.from({ length: 300 }, () => journal.intent(callOf(account, { action: "system_c" }))));
  await fixture.change(journal, callOf(other));
  await journal.close();
  await fixture.integrate();
});

after(() => fixture[Symbol.asyncDispose]());

const list = (filter: ReceiptFilter, limit = 200, cursor?: string) =>
  fixture.database.read(account, (session) =>
    receiptStore(session).list(filter, { limit, ...(cursor !== undefined && { cursor }) }),
  );
const prove = (id: string, of = account) => fixture.database.read(of, (session) => receiptStore(session).prove(id));

test("receipts come newest first, page by page, each once", async () => {
  const seen: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await list({}, 97, cursor);
    seen.push(...page.items.map(({ position }) => position));
    cursor = page.next;
  } while (cursor !== undefined);
  assert.deepEqual(
    seen,
    Array.from({ length: 605 }, (_, i) => 604 - i),
  );
});

test("filters narrow the list, alone and together", async () => {
  const [record, denied] = [changes[3], refused[2]];
  assert.ok(record && denied?.principal);
  const count = async (filter: ReceiptFilter) => (await list(filter)).items.length;
  assert.equal(await count({ action: "system_b" }), 30);
  assert.equal(await count({ code: "FORBIDDEN" }), 5);
  assert.equal(await count({ code: "OK", action: "system_b" }), 15);
  assert.equal(await count({ code: "PENDING", action: "system_a" }), 135);
  assert.equal(await count({ principalId: denied.principal.id }), 1);
  assert.equal(await count({ principalId: denied.principal.id, code: "OK" }), 0);
  const both = (await list({ callId: record.callId })).items;
  assert.deepEqual(
    both.map(({ id, code, action }) => [id, code, action]),
    [
      [`${record.callId}.outcome`, "OK", "system_a"],
      [`${record.callId}.intent`, "PENDING", "system_a"],
    ],
  );
});

test("a cursor that is not of this list is refused; one of it is taken", async () => {
  const { next } = await list({}, 10);
  assert.ok(next);
  assert.equal((await list({}, 1, next)).items[0]?.position, 594);
  for (const cursor of [
    "",
    "x",
    `${next}A`,
    Buffer.from('["a"]').toString("base64url"),
    Buffer.from("[1,2]").toString("base64url"),
  ]) {
    await assert.rejects(list({}, 10, cursor), { code: "CURSOR_INVALID" }, cursor);
  }
});

test("a receipt proves itself offline, from every place of the lane", async () => {
  const { versions } = await fixture.keys.metadata(account, "root");
  const rootKey = publicKeyFromDer(versions[0]?.publicKey as Buffer);
  const ids = [...changes, ...refused].map(({ callId }) => `${callId}.outcome`);
  const intents = await list({ action: "system_c" }, 200);
  for (const id of [...ids.filter((_, i) => i % 20 === 0), ...intents.items.map(({ id }) => id).slice(0, 20)]) {
    const proof = await prove(id);
    const { receipt } = verifyReceiptProof(JSON.parse(JSON.stringify(proof)), { rootKey });
    assert.equal(`${receipt.callId}.${receipt.phase}`, id);
  }
});

test("without the key the proof stands by itself alone; with another key it is refused", async () => {
  const proof = await prove(`${changes[0]?.callId}.outcome`);
  assert.equal(verifyReceiptProof(proof).receipt.account, account);
  assert.throws(() => verifyReceiptProof(proof, { rootKey: generateKeyPair().publicKey }), { code: "PROOF_INVALID" });
});

test("a proof that was changed anywhere is refused", async () => {
  const proof = await prove(`${changes[7]?.callId}.outcome`);
  const neighbour = await prove(`${changes[90]?.callId}.outcome`);
  const elsewhere = await fixture.database.read(other, async (session) => {
    const { items } = await receiptStore(session).list({}, { limit: 1 });
    return receiptStore(session).prove(items[0]?.id as string);
  });
  verifyReceiptProof(proof);
  const statement = (change: (text: string) => string) => ({ ...proof, statement: change(proof.statement) });
  const cases: readonly (readonly [string, unknown])[] = [
    ["statement", statement((text) => text.replace('"code":"OK"', '"code":"ok"'))],
    ["spelling", statement((text) => `${text} `)],
    ["another statement", { ...proof, statement: neighbour.statement }],
    ["summary", { ...proof, receipt: { ...proof.receipt, action: "system_other" } }],
    ["time", { ...proof, receipt: { ...proof.receipt, at: new Date(0).toISOString() } }],
    ["principal", { ...proof, receipt: { ...proof.receipt, principalId: undefined } }],
    ["sequence", { ...proof, lane: { ...proof.lane, sequence: proof.lane.sequence + 1 } }],
    ["size", { ...proof, lane: { ...proof.lane, size: proof.lane.size + 1 } }],
    ["root", { ...proof, lane: { ...proof.lane, rootHash: elsewhere.lane.rootHash } }],
    ["hash", { ...proof, lane: { ...proof.lane, rootHash: "AAAA" } }],
    ["path", { ...proof, lane: { ...proof.lane, inclusion: proof.lane.inclusion.slice(1) } }],
    ["lane", { ...proof, lane: { ...proof.lane, origin: elsewhere.lane.origin } }],
    ["epoch", { ...proof, lane: { ...proof.lane, epoch: proof.lane.epoch + 1 } }],
    ["note", { ...proof, commit: { ...proof.commit, note: elsewhere.commit.note } }],
    ["index", { ...proof, commit: { ...proof.commit, laneIndex: proof.commit.laneIndex + 1 } }],
    ["certificate", { ...proof, certificate: elsewhere.certificate }],
    ["account", { ...proof, certificate: elsewhere.certificate, rootKey: elsewhere.rootKey }],
    ["root key", { ...proof, rootKey: publicKeyToPem(generateKeyPair().publicKey) }],
    ["root key's form", { ...proof, rootKey: "-----BEGIN PUBLIC KEY-----" }],
    ["further member", { ...proof, extra: 1 }],
    ["missing member", { ...proof, lane: undefined }],
    ["nothing", undefined],
  ];
  for (const [what, changed] of cases) {
    assert.throws(() => verifyReceiptProof(changed), { code: "PROOF_INVALID" }, what);
  }
});

test("a lane's certificate is bound to its lane, and a receipt's time to the certificate", async () => {
  const { certificate, statement } = await prove(`${changes[0]?.callId}.intent`);
  const { origin, notBefore, notAfter } = claimedCertificate(certificate);
  assert.ok(origin.endsWith(`/${account}`));
  const { time } = JSON.parse(statement).predicate;
  assert.ok(notBefore < new Date(time) && new Date(time) < notAfter);
});

test("there is no receipt of that id: unknown, malformed, or another account's", async () => {
  const id = `${changes[0]?.callId}.outcome`;
  await prove(id);
  for (const wrong of [`${v7()}.outcome`, "", "x.outcome", `${id}s`, changes[0]?.callId as string]) {
    await assert.rejects(prove(wrong), { code: "NOT_FOUND" }, wrong);
  }
  await assert.rejects(prove(id, other), { code: "NOT_FOUND" });
});

test("a receipt that the lane does not prove any more is not handed out", async () => {
  const id = `${changes[20]?.callId}.outcome`;
  const good: PortableProof = await prove(id);
  const values = [account, good.lane.epoch, good.lane.sequence];
  const change = async (bit: number) =>
    fixture.superuser.query(
      `update receipt set statement = set_byte(statement, 200, get_byte(statement, 200) # ${bit})
       where account_id = $1 and epoch_no = $2 and sequence = $3`,
      values,
    );
  await change(1);
  await assert.rejects(prove(id), { code: "PROOF_INVALID" });
  await change(1);
  assert.deepEqual(await prove(id), good);
});
