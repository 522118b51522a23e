import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import { parseSecret, secretMatches, TOKEN_PREFIX } from "../../../contracts/identity/bearer-secret.ts";
import type { IdentityChange } from "../../domain/identity/acting-call.ts";
import { banPrincipal } from "../../domain/identity/ban-principal.ts";
import { claimSecret } from "../../domain/identity/claim-secret.ts";
import { createPrincipal } from "../../domain/identity/create-principal.ts";
import { issueToken, MAX_LIVE_TOKENS, previewIssueToken } from "../../domain/identity/issue-token.ts";
import { revokeToken } from "../../domain/identity/revoke-token.ts";
import {
  DAY_MS,
  foundAccount,
  type IdentityDatabase,
  identityDatabase,
  join,
  makeToken,
  overlap,
  type TestAccount,
} from "./identity.fixture.ts";
import { identityLookup } from "./identity-lookup.ts";
import { identityStore } from "./identity-store.ts";

let db: IdentityDatabase;
before(async () => {
  db = await identityDatabase();
});
after(() => db[Symbol.asyncDispose]());

const now = new Date();
const tomorrow = new Date(now.getTime() + DAY_MS);

const issue = (account: TestAccount, principalId = account.agentId, call = account.callAt(now)) =>
  account.change((tx) => issueToken(tx, { principalId, note: "laptop", validDays: 90 }, call));
const claim = (account: TestAccount, claimId: string, call = account.callAt(now)) =>
  account.change((tx) => claimSecret(tx, { claimId }, call));

test("a token is made when it is claimed, and its SHA-256 alone is kept", async () => {
  const account = await foundAccount(db);
  const granted = await issue(account);
  assert.equal(granted.next, `npx countersign tokens claim ${granted.claimId}`);
  assert.equal(await account.read((identity) => identity.liveTokens(account.agentId, now)), 1, "the founding one");

  const { kind, id, secret, expiresAt } = await claim(account, granted.claimId);
  assert.equal(kind, "token");
  assert.equal(expiresAt, new Date(now.getTime() + 90 * DAY_MS).toISOString());
  const parsed = parseSecret(TOKEN_PREFIX, secret);
  const found = await identityLookup(db.database).token(id);
  assert.ok(parsed && found && secretMatches(parsed.secret, found.sha256));
  assert.deepEqual([parsed.id, found.principal.id], [id, account.agentId]);
  assert.ok(!JSON.stringify(account.events).includes(secret.slice(-43)));
});

test("a claim serves once, also for two at once, and then says so", async () => {
  const account = await foundAccount(db);
  const { claimId } = await issue(account);
  const once = (tx: IdentityChange) => claimSecret(tx, { claimId }, account.callAt(now));
  assert.deepEqual(await overlap(db.database, account, once), { won: 1, lost: ["CONFLICT"] });
  await assert.rejects(claim(account, claimId), { code: "CONFLICT", message: /shown once/ });
});

test("a claim ends after a day", async () => {
  const account = await foundAccount(db);
  const { claimId } = await issue(account);
  await assert.rejects(claim(account, claimId, account.callAt(tomorrow)), { code: "CLAIM_EXPIRED" });
  await claim(account, claimId, account.callAt(new Date(tomorrow.getTime() - 1)));
});

test("a claim of an agent's token is for who asked, whose agent asked, or whom the agent answers to", async () => {
  const account = await foundAccount(db);
  const grace = await join(account, "Grace", ["admin"], now);
  const byGrace = account.callAt(now, grace.principal);
  const byAgent = account.callAt(now, {
    ...{ id: account.agentId, kind: "agent", name: "bot", ownerPersonId: account.personId },
  } as const);

  const { claimId: adas } = await issue(account);
  await assert.rejects(claim(account, adas, byGrace), { code: "FORBIDDEN" });
  await assert.rejects(claim(account, adas, byAgent), { code: "FORBIDDEN" });
  await claim(account, adas);

  const { claimId: askedByTheAgent } = await issue(account, account.agentId, byAgent);
  await assert.rejects(claim(account, askedByTheAgent, byGrace), { code: "FORBIDDEN" });
  await claim(account, askedByTheAgent);

  const { claimId: askedByGrace } = await issue(account, account.agentId, byGrace);
  await claim(account, askedByGrace);
});

test("an operator's token is claimed by the person that it is, never by who asked for it", async () => {
  const account = await foundAccount(db);
  const grace = await join(account, "Grace", ["approver"], now);
  const { claimId } = await issue(account, grace.principal.id);
  await assert.rejects(claim(account, claimId), { code: "FORBIDDEN" });
  await claim(account, claimId, account.callAt(now, grace.principal));
});

test("the last token by which anybody could administer the account cannot be revoked", async () => {
  const account = await foundAccount(db);
  const revoke = (tokenId: string) => (tx: IdentityChange) => revokeToken(tx, { tokenId }, account.callAt(now));
  const last = account.tokens.operator.id;
  const approver = await join(account, "Grace", ["approver"], now);
  await assert.rejects(account.change(revoke(last)), { code: "CONFLICT", path: "tokenId", message: /issue another/ });
  await account.change(revoke(approver.token.id));

  const { claimId } = await issue(account, account.operatorId);
  const { id: second } = await claim(account, claimId);
  const both = await overlap(db.database, account, revoke(last), revoke(second));
  assert.deepEqual(both, { won: 1, lost: ["CONFLICT"] });
});

test("another administrator counts while banned by nobody and with a token that works", async () => {
  const account = await foundAccount(db);
  const alan = await join(account, "Alan", ["admin"], now);
  const [adas, alans] = [account.tokens.operator.id, alan.token.id];
  const revoke = (tokenId: string) => account.change((tx) => revokeToken(tx, { tokenId }, account.callAt(now)));
  const ban = (principalId: string) =>
    account.change((tx) => banPrincipal(tx, { principalId, reason: "odd" }, account.callAt(now)));
  await revoke(alans);
  await assert.rejects(revoke(adas), { code: "CONFLICT" });
  await assert.rejects(ban(account.operatorId), { code: "CONFLICT" }, "who has no token administers nothing");

  const { claimId } = await issue(account, alan.principal.id);
  await claim(account, claimId, account.callAt(now, alan.principal));
  await ban(account.operatorId);
  await revoke(adas); // of a banned one: it opened nothing
});

test("claims of other accounts are unknown", async () => {
  const account = await foundAccount(db);
  const other = await foundAccount(db);
  const { claimId } = await issue(other);
  const unknown = { code: "NOT_FOUND", message: "There is no such claim." };
  await assert.rejects(claim(account, claimId), unknown);
  await assert.rejects(claim(account, v7()), unknown);
  await claim(other, claimId);
});

test("who was banned since gets no token, and who is banned none is asked for", async () => {
  const account = await foundAccount(db);
  const { claimId } = await issue(account);
  const ban = { principalId: account.agentId, reason: "odd" };
  await account.change((tx) => banPrincipal(tx, ban, account.callAt(now)));
  await assert.rejects(claim(account, claimId), { code: "CONFLICT" });
  await assert.rejects(issue(account), { code: "CONFLICT" });
});

test("the hub's own principal has no token", async () => {
  const account = await foundAccount(db);
  await assert.rejects(issue(account, account.hubPrincipalId), { code: "CONFLICT" });
});

test("a principal has so many tokens that work, and a revoked one makes room", async () => {
  const account = await foundAccount(db);
  const { principal } = await account.change((tx) =>
    createPrincipal(tx, { kind: "service", name: "ci", roles: ["reader"] }, account.callAt(now)),
  );
  const claims = [];
  for (let i = 0; i < MAX_LIVE_TOKENS + 1; i++) claims.push((await issue(account, principal.id)).claimId);
  const [oneTooMany, ...rest] = claims as [string, ...string[]];
  const ids: string[] = [];
  for (const claimId of rest) ids.push((await claim(account, claimId)).id);
  await assert.rejects(claim(account, oneTooMany), { code: "CONFLICT" });
  await account.change((tx) => revokeToken(tx, { tokenId: ids[0] as string }, account.callAt(now)));
  await claim(account, oneTooMany);
});

test("approvers read in whose name a token acts", async () => {
  const account = await foundAccount(db);
  const input = { principalId: account.agentId, note: "laptop", validDays: 90 };
  const preview = await account.read((identity) => previewIssueToken(identity, input, account.callAt(now)));
  assert.match(preview.headline, /Ada asks for an access token of the agent "bot"/);
  assert.deepEqual(
    preview.changes.map(({ after: text }) => text),
    ["agent", "90 days", "laptop"],
  );
  const unknown = { ...input, principalId: v7() };
  await assert.rejects(
    account.read((identity) => previewIssueToken(identity, unknown, account.callAt(now))),
    {
      code: "NOT_FOUND",
    },
  );
});

test("a revoked token is known as such, once", async () => {
  const account = await foundAccount(db);
  const { id: tokenId } = account.tokens.agent;
  const lookup = identityLookup(db.database);
  assert.equal((await lookup.token(tokenId))?.revoked, false);
  const revoke = (id: string) => account.change((tx) => revokeToken(tx, { tokenId: id }, account.callAt(now)));
  const once = (tx: IdentityChange) => revokeToken(tx, { tokenId }, account.callAt(now));
  assert.deepEqual(await overlap(db.database, account, once), { won: 1, lost: ["CONFLICT"] });
  assert.equal((await lookup.token(tokenId))?.revoked, true);

  const other = await foundAccount(db);
  await assert.rejects(revoke(other.tokens.agent.id), { code: "NOT_FOUND", message: "There is no such token." });
  await assert.rejects(revoke(v7()), { code: "NOT_FOUND", message: "There is no such token." });
  assert.equal((await lookup.token(other.tokens.agent.id))?.revoked, false);
});

test("the database's clock tells what has expired", async () => {
  const account = await foundAccount(db);
  const [past, future] = [makeToken(), makeToken()];
  await db.database.transact(account.accountId, async (session) => {
    for (const [token, expiresAt] of [
      [past, new Date(now.getTime() - 1)],
      [future, tomorrow],
    ] as const) {
      const made = { note: "", createdBy: account.operatorId, createdAt: now, principalId: account.agentId, expiresAt };
      await identityStore(session).addToken({ ...token, ...made });
    }
  });
  const lookup = identityLookup(db.database);
  assert.equal((await lookup.token(past.id))?.expired, true);
  assert.equal((await lookup.token(future.id))?.expired, false);
});

test("the last use is on record to the minute, for tokens of any account at once", async () => {
  const [one, two] = [await foundAccount(db), await foundAccount(db)];
  const lookup = identityLookup(db.database);
  const ids = [one.tokens.agent.id, two.tokens.agent.id];
  for (const id of ids) assert.equal((await lookup.token(id))?.useIsStale, true);
  await lookup.touchTokens([...ids, v7()]);
  for (const id of ids) assert.equal((await lookup.token(id))?.useIsStale, false);
  assert.equal((await lookup.token(one.tokens.operator.id))?.useIsStale, true);

  const lastUse = () => one.read(async (identity) => (await identity.token(ids[0] as string))?.lastUsedAt);
  const first = await lastUse();
  await lookup.touchTokens(ids);
  assert.deepEqual(await lastUse(), first, "used again within the minute");
  await db.database.transact(one.accountId, (session) =>
    session.query("update token set last_used_at = now() - interval '2 minutes' where id = $1", [ids[0]]),
  );
  assert.equal((await lookup.token(ids[0] as string))?.useIsStale, true);
});
