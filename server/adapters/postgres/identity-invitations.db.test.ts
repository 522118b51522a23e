import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import { generateKeyPair, keyId, publicKeyToBase64 } from "../../../contracts/formats/ed25519.ts";
import {
  formatSecret,
  generateSecret,
  INVITATION_PREFIX,
  secretDigest,
} from "../../../contracts/identity/bearer-secret.ts";
import {
  type AcceptInput,
  acceptInvitation,
  previewAcceptInvitation,
} from "../../domain/identity/accept-invitation.ts";
import type { IdentityChange } from "../../domain/identity/acting-call.ts";
import { banPrincipal } from "../../domain/identity/ban-principal.ts";
import { claimSecret } from "../../domain/identity/claim-secret.ts";
import { cancelInvitation, invitePerson, previewInvite } from "../../domain/identity/invite-person.ts";
import {
  answerInvitation,
  DAY_MS,
  foundAccount,
  type IdentityDatabase,
  identityDatabase,
  invite,
  join,
  overlap,
  type TestAccount,
} from "./identity.fixture.ts";
import { identityLookup } from "./identity-lookup.ts";

let db: IdentityDatabase;
before(async () => {
  db = await identityDatabase();
});
after(() => db[Symbol.asyncDispose]());

const now = new Date();
const days = (count: number) => new Date(now.getTime() + count * DAY_MS);

const accept = (account: TestAccount, input: AcceptInput, at = now) =>
  account.change((tx) => acceptInvitation(tx, input, { now: at }));

test("a person joins with a key of their own, and their token works", async () => {
  const account = await foundAccount(db);
  const { accept: input, key, token, invitationId } = await invite(account, "Grace Hopper", ["approver"], now);
  const joined = await accept(account, input);
  assert.equal(joined.principal.name, "Grace Hopper");
  assert.deepEqual(joined.principal.roles, ["approver"]);
  assert.equal(joined.principal.kind, "operator");
  assert.equal(joined.keyId, keyId(key.publicKey));
  assert.deepEqual([joined.people, joined.teamOnOffer], [2, true]);

  const found = await identityLookup(db.database).token(token.id);
  assert.equal(found?.principal.id, joined.principal.id);
  assert.equal(found?.account.id, account.accountId);
  assert.deepEqual(found?.sha256, token.sha256);
  const { accountId, hubPrincipalId } = account;
  const sha256 = secretDigest(Buffer.from(input.code.slice(-43), "base64url"));
  assert.deepEqual(await identityLookup(db.database).invitation(invitationId), { accountId, hubPrincipalId, sha256 });
});

test("the secrets stay out of the rows and the events", async () => {
  const account = await foundAccount(db);
  const { accept: input } = await invite(account, "Grace", ["approver"], now);
  await accept(account, input);
  const kept = await db.database.read(account.accountId, async (session) => {
    const tables = ["invitation", "claim", "token", "principal", "person", "person_key"];
    const rows = [];
    for (const table of tables)
      rows.push((await session.query(`select to_jsonb(t)::text as row from ${table} t`)).rows);
    return JSON.stringify([rows, account.events]);
  });
  const secret = Buffer.from(input.code.slice(-43), "base64url");
  assert.ok(!kept.includes(input.code.slice(-43)) && !kept.includes(secret.toString("hex")));
});

test("an invitation serves once, also for two at once", async () => {
  const account = await foundAccount(db);
  const { accept: first } = await invite(account, "Grace", ["approver"], now);
  const { accept: second } = answerInvitation(first.code);
  const by = (input: AcceptInput) => (tx: IdentityChange) => acceptInvitation(tx, input, { now });
  const both = await overlap(db.database, account, by(first), by(second));
  assert.deepEqual(both, { won: 1, lost: ["CONFLICT"] });
  await assert.rejects(accept(account, answerInvitation(first.code).accept), { code: "CONFLICT" });
});

test("a code that opens nothing gets one answer, whatever is wrong with it", async () => {
  const account = await foundAccount(db);
  const other = await foundAccount(db);
  const { accept: good, invitationId } = await invite(account, "Grace", ["approver"], now);
  const { accept: foreign } = await invite(other, "Grace", ["approver"], now);
  const unclaimed = await account.change((tx) =>
    invitePerson(tx, { personName: "Alan", roles: ["reader"], expiresInDays: 7 }, account.callAt(now)),
  );
  const code = (id: string, secret = generateSecret()) => formatSecret(INVITATION_PREFIX, { id, secret });
  const bad: Record<string, string> = {
    unknown: code(v7()),
    "wrong secret": code(invitationId),
    "never claimed": code(unclaimed.invitationId),
    "never claimed, with the secret that stands for none": code(unclaimed.invitationId, Buffer.alloc(32)),
    "another account's": foreign.code,
    truncated: good.code.slice(0, -1),
    "a token": good.code.replace("csi_", "cs_"),
    empty: "",
  };
  const refusal = { code: "INVITATION_INVALID", path: "code", message: /^This invitation code opens nothing/ };
  for (const [name, text] of Object.entries(bad)) {
    await assert.rejects(accept(account, { ...good, code: text }), refusal, name);
  }
  await accept(account, good);
});

test("who joins has to hold the key and the code, for this invitation and this token", async () => {
  const account = await foundAccount(db);
  const { accept: good } = await invite(account, "Grace", ["approver"], now);
  const { accept: forAnother } = await invite(account, "Alan", ["approver"], now);
  const stolen = publicKeyToBase64(generateKeyPair().publicKey);
  const bad: Record<string, AcceptInput> = {
    "somebody else's key": { ...good, publicKey: stolen },
    "a proof for another invitation": { ...good, publicKey: forAnother.publicKey, proof: forAnother.proof },
    "another token": { ...good, token: forAnother.token },
    "no Base 64": { ...good, proof: "!!" },
    "a short proof": { ...good, proof: "AAAA" },
    "no proof": { ...good, proof: "" },
  };
  for (const [name, input] of Object.entries(bad)) {
    await assert.rejects(accept(account, input), { code: "PROOF_INVALID", path: "proof" }, name);
  }
  const smallOrder = Buffer.from(good.publicKey, "base64").fill(0, 12).toString("base64");
  for (const publicKey of [smallOrder, "", "AAAA", good.publicKey.slice(4)]) {
    await assert.rejects(accept(account, { ...good, publicKey }), { code: "INPUT_INVALID", path: "publicKey" });
  }
  await accept(account, good);
});

test("a key is enrolled once", async () => {
  const account = await foundAccount(db);
  const { accept: first, key } = await invite(account, "Grace", ["approver"], now);
  await accept(account, first);
  const { accept: second } = await invite(account, "Alan", ["approver"], now);
  const withSameKey = answerInvitation(second.code, key).accept;
  await assert.rejects(accept(account, withSameKey), { code: "ALREADY_EXISTS", path: "publicKey" });
  await accept(account, second);
});

test("an invitation ends: by time, when cancelled, when its sender is banned", async () => {
  const account = await foundAccount(db);
  const { accept: expiring } = await invite(account, "Grace", ["approver"], now);
  await assert.rejects(accept(account, expiring, days(7)), { code: "INVITATION_EXPIRED" });

  const { accept: cancelled, invitationId } = await invite(account, "Alan", ["approver"], now);
  const cancel = () => account.change((tx) => cancelInvitation(tx, { invitationId }, account.callAt(now)));
  await cancel();
  await assert.rejects(accept(account, cancelled), { code: "CONFLICT" });
  await assert.rejects(cancel, { code: "CONFLICT" });

  const { principal: boss } = await join(account, "Barbara", ["admin"], now);
  const ban = { principalId: account.operatorId, reason: "left" };
  await account.change((tx) => banPrincipal(tx, ban, account.callAt(now, boss)));
  await assert.rejects(accept(account, expiring), { code: "CONFLICT", message: /banned/ });
});

test("an accepted invitation is not cancelled any more, and an unknown one is not found", async () => {
  const account = await foundAccount(db);
  const { accept: input, invitationId } = await invite(account, "Grace", ["approver"], now);
  await accept(account, input);
  const cancel = (id: string) =>
    account.change((tx) => cancelInvitation(tx, { invitationId: id }, account.callAt(now)));
  await assert.rejects(cancel(invitationId), { code: "CONFLICT" });
  await assert.rejects(cancel(v7()), { code: "NOT_FOUND" });
});

test("a cancelled or expired invitation's code is not made any more", async () => {
  const account = await foundAccount(db);
  const call = account.callAt(now);
  const input = { personName: "Grace", roles: ["approver"], expiresInDays: 7 } as const;
  const { claimId, invitationId } = await account.change((tx) => invitePerson(tx, input, call));
  await account.change((tx) => cancelInvitation(tx, { invitationId }, call));
  await assert.rejects(
    account.change((tx) => claimSecret(tx, { claimId }, call)),
    { code: "CONFLICT" },
  );
});

test("names that are taken are refused, when asking and when joining", async () => {
  const account = await foundAccount(db);
  const call = account.callAt(now);
  const ask = (personName: string) => ({ personName, roles: ["approver"], expiresInDays: 7 }) as const;
  for (const name of ["Ada", "ADA", "bot", "hub", "Hub"]) {
    const taken = { code: "ALREADY_EXISTS", path: "personName" };
    await assert.rejects(
      account.change((tx) => invitePerson(tx, ask(name), call)),
      taken,
      name,
    );
    await assert.rejects(
      account.read((identity) => previewInvite(identity, ask(name), call)),
      taken,
      name,
    );
  }
  const { accept: first } = await invite(account, "Grace", ["approver"], now);
  const { accept: second } = await invite(account, "grace", ["approver"], now);
  await accept(account, first);
  await assert.rejects(accept(account, second), { code: "ALREADY_EXISTS" });
});

test("a person gets roles that people hold", async () => {
  const account = await foundAccount(db);
  const input = { personName: "Grace", roles: ["approver", "agent"], expiresInDays: 7 } as const;
  const refusal = { code: "INPUT_INVALID", path: "roles[1]" };
  await assert.rejects(
    account.change((tx) => invitePerson(tx, input, account.callAt(now))),
    refusal,
  );
});

test("approvers read who is invited to what", async () => {
  const account = await foundAccount(db);
  const input = { personName: "Grace", roles: ["admin", "auditor"], expiresInDays: 1 } as const;
  const preview = await account.read((identity) => previewInvite(identity, input, account.callAt(now)));
  assert.match(preview.headline, /^Ada asks to invite Grace to join this account/);
  assert.deepEqual(
    preview.changes.map(({ field, after: text }) => [field, text]),
    [
      ["role admin", "everything in this account, people and policies included"],
      ["role auditor", "read everything and verify the journal"],
      ["to be accepted within", "1 day"],
    ],
  );
});

test("approvers read who joins and with which key, and never the code", async () => {
  const account = await foundAccount(db);
  const { accept: input, key } = await invite(account, "Grace", ["approver"], now);
  const previewed = (from: AcceptInput) => account.read((identity) => previewAcceptInvitation(identity, from, { now }));
  const preview = await previewed(input);
  assert.match(preview.headline, /^Grace, who was invited, asks to join/);
  assert.deepEqual(
    preview.changes.map(({ after: text }) => text),
    ["approver", keyId(key.publicKey)],
  );
  assert.ok(!JSON.stringify(preview).includes(INVITATION_PREFIX));
  const wrong = formatSecret(INVITATION_PREFIX, { id: v7(), secret: generateSecret() });
  await assert.rejects(previewed({ ...input, code: wrong }), { code: "INVITATION_INVALID" });
});
