import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import { type BanChange, banPrincipal } from "../../domain/identity/ban-principal.ts";
import type { BanFilter } from "../../domain/identity/identity-store.ts";
import { principalTarget } from "../../domain/identity/targets.ts";
import { previewUnban, unbanPrincipal } from "../../domain/identity/unban-principal.ts";
import { DAY_MS, foundAccount, type IdentityDatabase, identityDatabase, join, overlap } from "./identity.fixture.ts";
import { identityLookup } from "./identity-lookup.ts";

let db: IdentityDatabase;
before(async () => {
  db = await identityDatabase();
});
after(() => db[Symbol.asyncDispose]());

const now = new Date();
const tomorrow = new Date(now.getTime() + DAY_MS);
const afterTomorrow = new Date(now.getTime() + 2 * DAY_MS);
const reason = "sent odd requests";

test("a ban counts for the next call, and a lifted one no more", async () => {
  const account = await foundAccount(db);
  const { agentId: principalId, tokens, accountId } = account;
  const lookup = identityLookup(db.database);
  assert.equal((await lookup.token(tokens.agent.id))?.banned, false);

  const banned = await account.change((tx) => banPrincipal(tx, { principalId, reason }, account.callAt(now)));
  assert.deepEqual(banned.principal, { id: principalId, kind: "agent", name: "bot" });
  assert.deepEqual(
    banned.stillActive.map(({ name }) => name),
    ["Ada"],
  );
  assert.equal((await lookup.token(tokens.agent.id))?.banned, true);
  assert.equal((await lookup.principal(accountId, principalId))?.banned, true);
  assert.equal((await lookup.token(tokens.operator.id))?.banned, false);

  await account.change((tx) => unbanPrincipal(tx, { principalId, reason: "it was a test" }, account.callAt(now)));
  assert.equal((await lookup.token(tokens.agent.id))?.banned, false);
  assert.deepEqual(
    account.events.slice(-2).map(({ type }) => type),
    ["identity.principal_banned", "identity.principal_unbanned"],
  );
});

test("the reason of a ban is in the list, and in no event", async () => {
  const account = await foundAccount(db);
  const call = account.callAt(now);
  await account.change((tx) => banPrincipal(tx, { principalId: account.agentId, reason }, call));
  const { items } = await account.directory.listBans({ inForce: true }, { limit: 10 }, now);
  assert.deepEqual(
    items.map((ban) => [ban.reason, ban.principal.name, ban.by.name]),
    [[reason, "bot", "Ada"]],
  );
  assert.ok(!JSON.stringify(account.events).includes(reason));
});

test("bans are listed newest first, page to their end, and filter", async () => {
  const account = await foundAccount(db);
  const call = account.callAt(now);
  const grace = await join(account, "Grace", ["approver"], now);
  const [bot, person] = [account.agentId, grace.principal.id];
  for (const principalId of [bot, person]) {
    await account.change((tx) => banPrincipal(tx, { principalId, reason: "one" }, call));
    await account.change((tx) => unbanPrincipal(tx, { principalId, reason: "sorted out" }, call));
  }
  await account.change((tx) => banPrincipal(tx, { principalId: bot, reason: "two" }, call));

  const all: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await account.directory.listBans({}, { limit: 2, cursor }, now);
    all.push(...page.items.map((ban) => [ban.principal.name, ban.reason, ban.lifted?.reason ?? "in force"]));
    cursor = page.next;
  } while (cursor !== undefined);
  assert.deepEqual(all, [
    ["bot", "two", "in force"],
    ["Grace", "one", "sorted out"],
    ["bot", "one", "sorted out"],
  ]);

  const count = async (filter: BanFilter) =>
    (await account.directory.listBans(filter, { limit: 10 }, now)).items.length;
  assert.equal(await count({ principalId: bot }), 2);
  assert.equal(await count({ principalId: bot, inForce: true }), 1);
  assert.equal(await count({ inForce: false }), 2);
  assert.equal(await count({ principalId: v7() }), 0);
});

test("whoever is banned is not banned again, and is told since when", async () => {
  const account = await foundAccount(db);
  const { agentId: principalId } = account;
  const ban = () => account.change((tx) => banPrincipal(tx, { principalId, reason }, account.callAt(now)));
  await ban();
  await assert.rejects(ban, (error: { code: string; message: string; details: Record<string, unknown> }) => {
    assert.equal(error.code, "CONFLICT");
    assert.deepEqual([error.details["bannedBy"], error.details["bannedAt"]], [account.operatorId, now.toISOString()]);
    return error.message.includes(now.toISOString());
  });
});

test("of bans at once, one wins", async () => {
  const account = await foundAccount(db);
  const ban = (tx: BanChange) => banPrincipal(tx, { principalId: account.agentId, reason }, account.callAt(now));
  assert.deepEqual(await overlap(db.database, account, ban), { won: 1, lost: ["CONFLICT"] });
});

test("who is not banned cannot be unbanned", async () => {
  const account = await foundAccount(db);
  const input = { principalId: account.agentId, reason: "why not" };
  const conflict = { code: "CONFLICT" };
  await assert.rejects(
    account.change((tx) => unbanPrincipal(tx, input, account.callAt(now))),
    conflict,
  );
  await assert.rejects(
    account.read((identity) => previewUnban(identity, input, account.callAt(now))),
    conflict,
  );

  await account.change((tx) => banPrincipal(tx, { ...input, reason }, account.callAt(now)));
  const preview = await account.read((identity) => previewUnban(identity, input, account.callAt(now)));
  assert.match(preview.headline, /Ada asks to lift the ban on the agent "bot"/);
  assert.ok(preview.changes.some(({ before }) => before === reason));
});

test("a ban ends by itself, can then be made again, and the list tells which is which", async () => {
  const account = await foundAccount(db);
  const { agentId: principalId } = account;
  const until = tomorrow.toISOString();
  await account.change((tx) => banPrincipal(tx, { principalId, reason, until }, account.callAt(now)));
  assert.ok(await account.read((identity) => identity.banInForce(principalId, now)));
  assert.equal(await account.read((identity) => identity.banInForce(principalId, tomorrow)), undefined);

  const again = { principalId, reason: "once more" };
  await account.change((tx) => banPrincipal(tx, again, account.callAt(afterTomorrow)));
  const { items } = await account.directory.listBans({}, { limit: 10 }, afterTomorrow);
  assert.deepEqual(
    items.map((ban) => [ban.reason, ban.inForce, ban.lifted]),
    [
      ["once more", true, undefined],
      [reason, false, undefined],
    ],
  );
});

test("a ban ends in the future", async () => {
  const account = await foundAccount(db);
  const ban = (until: Date) => {
    const input = { principalId: account.agentId, reason, until: until.toISOString() };
    return account.change((tx) => banPrincipal(tx, input, account.callAt(now)));
  };
  await assert.rejects(ban(now), { code: "INPUT_INVALID", path: "until" });
  await ban(tomorrow);
});

test("the last operator cannot be banned; with a second one, either can, and not both", async () => {
  const account = await foundAccount(db);
  const ban = (principalId: string) =>
    account.change((tx) => banPrincipal(tx, { principalId, reason }, account.callAt(now)));
  await assert.rejects(ban(account.operatorId), { code: "CONFLICT" });
  const until = tomorrow.toISOString();
  const forADay = { principalId: account.operatorId, reason, until };
  await assert.rejects(
    account.change((tx) => banPrincipal(tx, forADay, account.callAt(now))),
    { code: "CONFLICT" },
  );

  const approver = await join(account, "Grace", ["approver"], now);
  await assert.rejects(ban(account.operatorId), { code: "CONFLICT" }, "an approver does not administer");
  const admin = await join(account, "Alan", ["admin"], now);
  const each = (principalId: string) => (tx: BanChange) =>
    banPrincipal(tx, { principalId, reason }, account.callAt(now));
  const both = await overlap(db.database, account, each(account.operatorId), each(admin.principal.id));
  assert.deepEqual(both, { won: 1, lost: ["CONFLICT"] });
  await ban(approver.principal.id);
});

test("an administrator whose key no longer counts is none", async () => {
  const account = await foundAccount(db);
  const admin = await join(account, "Alan", ["admin"], now);
  await db.database.transact(account.accountId, (session) =>
    session.query("update person_key set revoked_at = now() where person_id = $1", [admin.principal.personId]),
  );
  const ban = (principalId: string) =>
    account.change((tx) => banPrincipal(tx, { principalId, reason }, account.callAt(now)));
  await assert.rejects(ban(account.operatorId), { code: "CONFLICT" });
});

test("the hub's own principal cannot be banned", async () => {
  const account = await foundAccount(db);
  const input = { principalId: account.hubPrincipalId, reason };
  await assert.rejects(
    account.change((tx) => banPrincipal(tx, input, account.callAt(now))),
    { code: "CONFLICT" },
  );
});

test("a principal of another account is as unknown as one that never was", async () => {
  const account = await foundAccount(db);
  const other = await foundAccount(db);
  for (const principalId of [other.agentId, v7()]) {
    const input = { principalId, reason };
    const unknown = { code: "NOT_FOUND", message: "There is no such principal." };
    await assert.rejects(
      account.change((tx) => banPrincipal(tx, input, account.callAt(now))),
      unknown,
    );
    await assert.rejects(
      account.change((tx) => unbanPrincipal(tx, input, account.callAt(now))),
      unknown,
    );
  }
  const { items } = await other.directory.listBans({}, { limit: 10 }, now);
  assert.deepEqual(items, []);
});

test("what was approved for a principal is stale once it was banned", async () => {
  const account = await foundAccount(db);
  const { agentId: principalId } = account;
  const target = () => account.read((identity) => principalTarget(identity, principalId));
  const asked = await target();
  assert.deepEqual(asked, await target());
  await account.change((tx) => banPrincipal(tx, { principalId, reason }, account.callAt(now)));
  await account.change((tx) => unbanPrincipal(tx, { principalId, reason }, account.callAt(now)));
  assert.notEqual((await target()).version, asked.version);
});
