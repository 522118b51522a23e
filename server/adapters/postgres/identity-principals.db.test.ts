import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import type { IdentityChange } from "../../domain/identity/acting-call.ts";
import { banPrincipal } from "../../domain/identity/ban-principal.ts";
import {
  type CreatePrincipalInput,
  createPrincipal,
  previewCreatePrincipal,
} from "../../domain/identity/create-principal.ts";
import type { PrincipalFilter } from "../../domain/identity/identity-store.ts";
import { previewProfile, setProfile } from "../../domain/identity/set-profile.ts";
import { profileTarget } from "../../domain/identity/targets.ts";
import { whoami } from "../../domain/identity/whoami.ts";
import { accountDirectory } from "./account-store.ts";
import { foundAccount, type IdentityDatabase, identityDatabase, join, overlap, race } from "./identity.fixture.ts";

let db: IdentityDatabase;
before(async () => {
  db = await identityDatabase();
});
after(() => db[Symbol.asyncDispose]());

const now = new Date();

test("the hub has one first account", async () => {
  const directory = accountDirectory(db.database);
  assert.equal(await directory.hubAccountId(), undefined);
  const found = () => foundAccount(db, { isHub: true });
  assert.deepEqual(await race([found(), found()]), { won: 1, lost: ["ALREADY_EXISTS"] });
  const hub = await directory.hubAccountId();
  assert.ok(hub !== undefined && (await directory.accountIds()).includes(hub));
});

test("a founded account has who it needs, and nobody else's rows", async () => {
  const account = await foundAccount(db);
  await foundAccount(db);
  const { items } = await account.directory.listPrincipals({}, { limit: 50 }, now);
  assert.deepEqual(
    items.map((p) => [p.kind, p.name, p.roles, p.person?.name, p.owner?.name, p.tokens.length]),
    [
      ["operator", "Ada", ["admin"], "Ada", undefined, 1],
      ["agent", "bot", ["agent"], undefined, "Ada", 1],
      ["service", "hub", ["hub"], undefined, undefined, 0],
    ],
  );
  assert.equal(await account.read((identity) => identity.enrolledPeople(now)), 1);
});

test("an account is founded for people of any name, and with no bad one", async () => {
  for (const [personName, agentName, expected] of [
    ["agent", "Agent", ["agent", "Agent 2", "hub"]],
    ["hub", "bot", ["hub 2", "bot", "hub"]],
  ] as const) {
    const account = await foundAccount(db, { personName, agentName });
    const { items } = await account.directory.listPrincipals({}, { limit: 50 }, now);
    assert.deepEqual(
      items.map(({ name }) => name),
      expected,
    );
  }
  await assert.rejects(foundAccount(db, { personName: "A\u202eda" }), { code: "INPUT_INVALID" });
});

test("whoami tells who calls, and by which token", async () => {
  const account = await foundAccount(db);
  const { caller } = account.callAt(now);
  const policy = { version: 1, hash: "abc" };
  const tokenId = account.tokens.operator.id;
  const me = await account.read((identity) => whoami(identity, { now, caller: { ...caller, policy, tokenId } }));
  assert.deepEqual(
    [me.principal.name, me.principal.person?.id, me.account.profile, me.account.people, me.token?.id],
    ["Ada", account.personId, "solo", 1, tokenId],
  );
  const byJob = await account.read((identity) => whoami(identity, { now, caller: { ...caller, policy } }));
  assert.ok(!("token" in byJob));
});

test("agents answer to a person, the caller's where none is named", async () => {
  const account = await foundAccount(db);
  const grace = await join(account, "Grace", ["approver"], now);
  const create = (input: CreatePrincipalInput) =>
    account.change((tx) => createPrincipal(tx, input, account.callAt(now)));
  const own = await create({ kind: "agent", name: "one", roles: ["agent"] });
  assert.deepEqual(own.principal.owner, { id: account.personId, name: "Ada" });
  const hers = await create({ kind: "agent", name: "two", roles: ["reader"], ownerPersonId: grace.principal.personId });
  assert.deepEqual(hers.principal.owner, { id: grace.principal.personId, name: "Grace" });
  const listed = await account.directory.listPrincipals({ personId: grace.principal.personId }, { limit: 10 }, now);
  assert.deepEqual(
    listed.items.map(({ name }) => name),
    ["Grace", "two"],
  );
});

test("what a principal cannot be is refused with its path, when asking and when done", async () => {
  const account = await foundAccount(db);
  const other = await foundAccount(db);
  const call = account.callAt(now);
  const bad: [string, string, CreatePrincipalInput][] = [
    ["INPUT_INVALID", "roles[0]", { kind: "agent", name: "a", roles: ["admin"] }],
    ["INPUT_INVALID", "roles[1]", { kind: "agent", name: "a", roles: ["agent", "approver"] }],
    ["INPUT_INVALID", "roles[0]", { kind: "service", name: "a", roles: ["operator"] }],
    ["INPUT_INVALID", "roles[0]", { kind: "operator", name: "a", roles: ["agent"], personId: account.personId }],
    ["INPUT_INVALID", "personId", { kind: "operator", name: "a", roles: ["reader"] }],
    ["INPUT_INVALID", "personId", { kind: "agent", name: "a", roles: ["agent"], personId: account.personId }],
    [
      "INPUT_INVALID",
      "ownerPersonId",
      { kind: "service", name: "a", roles: ["agent"], ownerPersonId: account.personId },
    ],
    ["NOT_FOUND", "personId", { kind: "operator", name: "a", roles: ["reader"], personId: v7() }],
    ["NOT_FOUND", "personId", { kind: "operator", name: "a", roles: ["reader"], personId: other.personId }],
    ["NOT_FOUND", "ownerPersonId", { kind: "agent", name: "a", roles: ["agent"], ownerPersonId: other.personId }],
    ["ALREADY_EXISTS", "name", { kind: "service", name: "BOT", roles: ["agent"] }],
    ["ALREADY_EXISTS", "name", { kind: "service", name: "Hub", roles: ["agent"] }],
  ];
  for (const [code, path, input] of bad) {
    await assert.rejects(
      account.change((tx) => createPrincipal(tx, input, call)),
      { code, path },
      path,
    );
    await assert.rejects(
      account.read((identity) => previewCreatePrincipal(identity, input, call)),
      { code, path },
      path,
    );
  }
  const service = { id: v7(), kind: "service", name: "ci" } as const;
  const owner = { code: "INPUT_INVALID", path: "ownerPersonId" };
  const byService = account.callAt(now, service);
  const input = { kind: "agent", name: "a", roles: ["agent"] } as const;
  await assert.rejects(
    account.change((tx) => createPrincipal(tx, input, byService)),
    owner,
  );
  await account.change((tx) => createPrincipal(tx, input, call));
});

test("of two principals with one name, made at once, one is made", async () => {
  const account = await foundAccount(db);
  const create = (name: string) => (tx: IdentityChange) =>
    createPrincipal(tx, { kind: "service", name, roles: ["agent"] }, account.callAt(now));
  const both = await overlap(db.database, account, create("deploy"), create("Deploy"));
  assert.deepEqual(both, { won: 1, lost: ["ALREADY_EXISTS"] });
});

test("the profile is not changed twice at once", async () => {
  const account = await foundAccount(db);
  await join(account, "Grace", ["approver"], now);
  const toTeam = (tx: IdentityChange) => setProfile(tx, { profile: "team" }, account.callAt(now));
  assert.deepEqual(await overlap(db.database, account, toTeam), { won: 1, lost: ["CONFLICT"] });
});

test("a list pages to its end, each row once, and filters", async () => {
  const account = await foundAccount(db);
  for (const name of ["a", "b", "c", "d"]) {
    await account.change((tx) => createPrincipal(tx, { kind: "service", name, roles: ["agent"] }, account.callAt(now)));
  }
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await account.directory.listPrincipals({}, { limit: 2, cursor }, now);
    names.push(...page.items.map(({ name }) => name));
    cursor = page.next;
  } while (cursor !== undefined);
  assert.deepEqual(names, ["Ada", "bot", "hub", "a", "b", "c", "d"]);

  await account.change((tx) => banPrincipal(tx, { principalId: account.agentId, reason: "odd" }, account.callAt(now)));
  const namesOf = async (filter: PrincipalFilter) =>
    (await account.directory.listPrincipals(filter, { limit: 50 }, now)).items.map(({ name }) => name);
  assert.deepEqual(await namesOf({ kind: "operator" }), ["Ada"]);
  assert.deepEqual(await namesOf({ role: "agent", kind: "agent" }), ["bot"]);
  assert.deepEqual(await namesOf({ banned: true }), ["bot"]);
  assert.deepEqual(await namesOf({ banned: false, kind: "agent" }), []);
});

test("a cursor of another list is refused", async () => {
  const account = await foundAccount(db);
  const list = (cursor: string) => account.directory.listPrincipals({}, { limit: 2, cursor }, now);
  const encode = (key: unknown) => Buffer.from(JSON.stringify(key)).toString("base64url");
  for (const cursor of ["", "!", encode(["x"]), encode([1]), encode([v7(), v7()]), encode("' or true")]) {
    await assert.rejects(list(cursor), { code: "CURSOR_INVALID", path: "cursor" }, cursor);
  }
  assert.deepEqual((await list(encode([v7()]))).items, []);
});

test("a team has two people, and its preview says what two cannot do", async () => {
  const account = await foundAccount(db);
  const call = account.callAt(now);
  const set = (profile: "solo" | "team") => account.change((tx) => setProfile(tx, { profile }, call));
  const preview = (profile: "solo" | "team") => account.read((identity) => previewProfile(identity, { profile }, call));
  await assert.rejects(set("team"), { code: "CONFLICT" });
  await assert.rejects(preview("team"), { code: "CONFLICT" });
  await assert.rejects(set("solo"), { code: "CONFLICT", message: /is solo already/ });

  const grace = await join(account, "Grace", ["approver"], now);
  assert.ok((await preview("team")).changes.some(({ field }) => field === "mind"));
  await join(account, "Alan", ["approver"], now);
  assert.ok(!(await preview("team")).changes.some(({ field }) => field === "mind"));
  assert.deepEqual(await set("team"), { profile: "team", before: "solo", people: 3 });
  assert.equal((await account.read(profileTarget)).version, "team");
  await set("solo");

  const ban = (principalId: string) => account.change((tx) => banPrincipal(tx, { principalId, reason: "left" }, call));
  await ban(grace.principal.id);
  assert.equal(await account.read((identity) => identity.enrolledPeople(now)), 2);
});
