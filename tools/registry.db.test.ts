/**
 * What holds for every action, proven through the real gate, at the HTTP door of a real hub. There is no list of actions
 * here: a new one is tested by being registered, and fails until the walk in scripts/generators/examples calls it.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import { AGENT, OPERATOR } from "../cli/context.ts";
import { ERROR_WORDS } from "../contracts/errors/error-words.ts";
import { formatSecret, generateSecret, secretDigest, TOKEN_PREFIX } from "../contracts/identity/bearer-secret.ts";
import { callDoor } from "../scripts/generators/examples/door.ts";
import { loseCredential } from "../scripts/generators/examples/lose-credential.ts";
import { makeBackup } from "../scripts/generators/examples/make-backup.ts";
import { walkThrough } from "../scripts/generators/examples/scenario.ts";
import type { Example } from "../scripts/generators/examples/walk.ts";
import { ScratchRepository } from "../scripts/scratch-repository.ts";
import { createRegistry, type RegisteredAction } from "../server/action/registry.ts";
import type { ErrorCode } from "../server/errors.ts";
import { type TestHub, TestHubs, type TestPerson } from "../server/test-hub.ts";
import { actions } from "./index.ts";

type Json = Readonly<Record<string, unknown>>;

const KINDS = ["operator", "agent", "service"] as const;
/** What needs no role: whoever has a token may ask who they are. */
const OPEN_TO_ALL = ["system_identity_whoami"];
/** Fits no field that says what it takes. */
const WRONG = [{ wrong: true }];

const registered = createRegistry(actions)
  .list()
  .filter(({ action }) => action.channels.includes("http"));
let hubs: TestHubs;
let hub: TestHub;
let elsewhere: TestPerson;
let walked: readonly Example[];
const strangers: { kind: string; id: string; token: string }[] = [];
/** Refusals that were answered: how many of each `action code principal`. */
const refused = new Map<string, number>();

before(async () => {
  hubs = await TestHubs.open();
  hub = await hubs.start();
  for (const kind of KINDS) strangers.push({ kind, ...(await withoutRoles(kind)) });
  elsewhere = await hubs.addAccount("Eve");
  const [operator, agent, key] = [hubs.ada.token(OPERATOR), hubs.ada.token(AGENT), hubs.ada.folder.signingKey()];
  assert.ok(key);
  const repository = new ScratchRepository(join(hubs.repositories, "shop"));
  walked = await walkThrough({
    url: hub.url,
    tokens: { operator, agent },
    key,
    repository,
    makeBackup: () => makeBackup(hubs.home, hubs.env()),
    loseCredential: (name) => loseCredential(hubs.db.superuser, name),
  });
});
after(() => hubs[Symbol.asyncDispose]());

/** A principal that nobody gave a role, which no action can make. */
async function withoutRoles(kind: (typeof KINDS)[number]): Promise<{ id: string; token: string }> {
  const [account, id, person, tokenId, secret] = [hubs.accountId, v7(), v7(), v7(), generateSecret()];
  const people = { operator: [person, null], agent: [null, person], service: [null, null] }[kind];
  await hubs.sql("insert into person (account_id, id, name) values ($1, $2, $3)", [account, person, person]);
  await hubs.sql(
    `insert into principal (account_id, id, kind, name, person_id, owner_person_id, roles)
     values ($1, $2, $3, $4, $5, $6, '{}')`,
    [account, id, kind, id, ...people],
  );
  await hubs.sql(
    `insert into token (account_id, id, principal_id, sha256, note, created_by, expires_at)
     values ($1, $2, $3, $4, 'test', $3, now() + interval '1 day')`,
    [account, tokenId, id, secretDigest(secret)],
  );
  return { id, token: formatSecret(TOKEN_PREFIX, { id: tokenId, secret }) };
}

function exampleOf({ action }: RegisteredAction): Example {
  const example = walked.find(({ action: name }) => name === action.name);
  assert.ok(example, `${action.name} is called nowhere in scripts/generators/examples/scenario.ts`);
  return example;
}

/** Calls, expects the refusal, and remembers that it has to be found in the journal. */
async function refusal(
  action: string,
  input: unknown,
  code: string,
  who: { token?: string; id?: string } = {},
  recordedAs = action,
): Promise<Json> {
  const { status, body } = await callDoor(hub.url, who.token, action, input);
  assert.deepEqual(
    [body.code, status >= 400],
    [code, true],
    `${action} ${JSON.stringify(input)}: ${JSON.stringify(body)}`,
  );
  const key = `${recordedAs} ${code} ${who.id ?? "-"}`;
  refused.set(key, (refused.get(key) ?? 0) + 1);
  return body;
}

for (const entry of registered) {
  const { action } = entry;

  test(`${action.name}: what it answers fits its output schema`, () => {
    for (const example of walked.filter(({ action: name }) => name === action.name)) {
      const { output, summary } = (example.afterApproval ?? example.answer) as { output: unknown; summary: string };
      const { data, error } = action.output.safeParse(output);
      assert.equal(error, undefined);
      assert.deepEqual(data, output, "and holds nothing beyond it");
      assert.notEqual(summary.trim(), "");
    }
    exampleOf(entry);
  });

  test(`${action.name}: whoever has no token or no role is refused`, async () => {
    const { input } = exampleOf(entry);
    await refusal(action.name, input, "UNAUTHENTICATED", {}, "door");
    for (const stranger of strangers) {
      if (OPEN_TO_ALL.includes(action.name)) {
        const { status } = await callDoor(hub.url, stranger.token, action.name, input);
        assert.equal(status, 200);
      } else await refusal(action.name, input, "FORBIDDEN", stranger);
    }
  });

  test(`${action.name}: another account's administrator learns nothing of this account, and errors are declared ones`, async () => {
    const { input } = exampleOf(entry);
    const { body } = await callDoor(hub.url, elsewhere.token(), action.name, input);
    const sent = new Set(idsIn(input));
    const told = idsIn(body).filter((id) => !sent.has(id));
    const ours = new Set(idsIn(walked));
    assert.deepEqual(
      told.filter((id) => ours.has(id)),
      [],
    );
    assert.notEqual(body.code, "INTERNAL");
    if (body.code !== undefined) assert.ok(mayAnswer(entry, body.code as ErrorCode), JSON.stringify(body));
  });

  test(`${action.name}: a field that it does not have is refused by name`, async () => {
    const { input } = exampleOf(entry);
    for (const field of ["unexpected", "ID", "account_id"]) {
      const { path } = await refusal(action.name, { ...input, [field]: "x" }, "INPUT_INVALID", strangers[1]);
      // where a secret comes in, it may be the secret in the wrong place
      assert.equal(path, action.secretInput ? "" : field);
    }
    for (const [key, recordedAs] of [
      ["__proto__", "door"], // no JSON parser of ours lets it in
      ["constructor", action.name],
    ] as const) {
      const poisoned = JSON.parse(`{${JSON.stringify(key)}: {}}`);
      const told = await refusal(action.name, poisoned, "INPUT_INVALID", strangers[1], recordedAs);
      assert.equal(told.path, key);
    }
    for (const none of [[], "x", 1, null]) {
      if (none === null && action.input.safeParse({}).success) continue; // nothing sent is the empty input
      await refusal(action.name, none, "INPUT_INVALID", strangers[1]);
    }
  });

  test(`${action.name}: a value of the wrong type is refused where it stands`, async () => {
    const { input } = exampleOf(entry);
    const absent = Object.keys(action.input.shape).filter((name) => !Object.hasOwn(input, name));
    for (const path of [...pathsIn(input), ...absent.map((name) => [name])]) {
      const bad = withValue(input, path, WRONG);
      if (action.input.safeParse(bad).success) continue; // a field that takes anything
      const told = await refusal(action.name, bad, "INPUT_INVALID", strangers[1]);
      const [where, found] = [`${textOf(path)}.`, `${String(told.path).replaceAll("[", ".[")}.`];
      // a union is refused as a whole, a list at the entry that does not fit
      assert.ok(where.startsWith(found) || found.startsWith(where), `${textOf(path)}: ${found}`);
    }
  });
}

test("what jobs alone carry out is at no door, for whoever asks", async () => {
  const jobs = actions.filter(({ channels }) => channels.includes("job"));
  assert.ok(jobs.length > 0);
  for (const { name, channels } of jobs) {
    assert.deepEqual(channels, ["job"], name);
    const admin = { token: hubs.ada.token(OPERATOR), id: (await whoami(hubs.ada.token(OPERATOR))).id };
    await refusal(name, {}, "ACTION_UNKNOWN", admin, "unknown");
  }
});

async function whoami(token: string): Promise<{ id: string }> {
  const { body } = await callDoor(hub.url, token, "system_identity_whoami", {});
  return (body.output as { principal: { id: string } }).principal;
}

test("every refusal is in the journal, once, and nothing went wrong inside", async () => {
  await hub.stop();
  const rows = await hubs.sql<{ key: string; n: string }>(
    `select action || ' ' || code || ' ' || coalesce(principal_id::text, '-') as key, count(*) as n from receipt
     where phase = 'outcome' and account_id = $1 group by 1`,
    [hubs.accountId],
  );
  const found = new Map(rows.map(({ key, n }) => [key, Number(n)]));
  assert.ok(refused.size > 3 * registered.length);
  assert.deepEqual(
    [...refused].filter(([key, n]) => found.get(key) !== n),
    [],
  );
  const faults = hub
    .log()
    .split("\n")
    .filter((line) => /"level":"(error|fatal)"/.test(line));
  assert.deepEqual(faults, []);
});

const mayAnswer = ({ action }: RegisteredAction, code: ErrorCode): boolean =>
  action.errors.includes(code) || ERROR_WORDS[code]?.scope === "call";

/** Every id in a value, also inside of texts. */
function idsIn(value: unknown): string[] {
  return JSON.stringify(value).match(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g) ?? [];
}

type Path = readonly (string | number)[];

/** Where values stand in an input, outer before inner. */
function pathsIn(value: unknown, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  const keys = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value);
  return keys.flatMap((key) => {
    const path = [...at, key];
    return [path, ...pathsIn((value as Record<string | number, unknown>)[key], path)];
  });
}

function withValue(value: unknown, [key, ...rest]: Path, put: unknown): unknown {
  if (key === undefined) return put;
  const changed = Array.isArray(value) ? [...value] : { ...(value as object) };
  const members = changed as Record<string | number, unknown>;
  members[key] = withValue(members[key], rest, put);
  return changed;
}

const textOf = (path: Path): string =>
  path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}.[${key}]` : text ? `${text}.${key}` : key),
    "",
  );
