import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import { digest } from "../../../contracts/formats/canonical-json.ts";
import type { PolicyReader, PolicyWriter } from "../../domain/policy/policy-store.ts";
import { accountWriter } from "./account-store.ts";
import { overlap, race } from "./overlap.fixture.ts";
import { policyStore } from "./policy-store.ts";
import { type TestDatabase, testDatabase } from "./test-database.ts";

let db: TestDatabase;
before(async () => {
  db = await testDatabase();
});
after(() => db[Symbol.asyncDispose]());

const BY = v7();
const version = (n: number, document = `{"n":${n}}`) => ({
  version: n,
  document,
  hash: digest(document),
  createdBy: BY,
});

async function newPolicy() {
  const accountId = v7();
  const account = { id: accountId, name: "Laboratory", profile: "team", isHub: false, createdAt: new Date() } as const;
  await db.database.transact(accountId, (session) => accountWriter(session).addAccount(account));
  const change = <T>(fn: (policy: PolicyReader & PolicyWriter) => Promise<T>) =>
    db.database.transact(accountId, (session) => fn(policyStore(session)));
  return { change };
}

test("the newest version is in force, the older ones stay", async () => {
  const { change } = await newPolicy();
  for (const n of [1, 2, 10]) await change((policy) => policy.insert(version(n)));
  const { createdAt, ...current } = await change((policy) => policy.current());
  assert.deepEqual(current, version(10));
  assert.ok(createdAt instanceof Date);
  assert.equal((await change((policy) => policy.version(2)))?.document, '{"n":2}');
  assert.equal(await change((policy) => policy.version(3)), undefined);
});

test("a document is kept to the byte", async () => {
  const { change } = await newPolicy();
  const document = '{"b":1,"a":"\\u0007 東京 \u{1F600}","spaces":"  "}';
  await change((policy) => policy.insert(version(1, document)));
  assert.equal((await change((policy) => policy.current())).document, document);
});

test("an account without a policy decides nothing", async () => {
  const { change } = await newPolicy();
  await assert.rejects(
    change((policy) => policy.current()),
    { code: "POLICY_FAILED" },
  );
});

test("of two that write one version at once, one is told that it moved, and nothing of it stays", async () => {
  const { change } = await newPolicy();
  await change((policy) => policy.insert(version(1)));
  const put = (document: string) => (policy: PolicyWriter) => policy.insert(version(2, document));
  assert.deepEqual(await overlap(db.database, change, put("{}"), put("[]")), { won: 1, lost: ["VERSION_CONFLICT"] });
  assert.equal((await change((policy) => policy.current())).document, "{}");
  const crowd = Array.from({ length: 10 }, (_, i) => change((policy) => policy.insert(version(3, `{"i":${i}}`))));
  const { won, lost } = await race(crowd);
  assert.deepEqual([won, new Set(lost)], [1, new Set(["VERSION_CONFLICT"])]);
  const both = change(async (policy) => {
    await policy.insert(version(4));
    await policy.insert(version(4));
  });
  await assert.rejects(both, { code: "VERSION_CONFLICT", path: "baseVersion" });
  assert.equal((await change((policy) => policy.current())).version, 3);
});

test("accounts have their own", async () => {
  const [one, two] = [await newPolicy(), await newPolicy()];
  await one.change((policy) => policy.insert(version(1)));
  assert.equal(await two.change((policy) => policy.version(1)), undefined);
  await two.change((policy) => policy.insert(version(1, "[]")));
  assert.equal((await one.change((policy) => policy.current())).document, '{"n":1}');
});
