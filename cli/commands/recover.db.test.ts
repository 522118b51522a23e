import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type pg from "pg";
import { ask, moduleNamed, policyOf, settledRequest, TestHubs, TestPerson } from "../../server/test-hub.ts";
import { CliFolder } from "../cli-folder.ts";
import { OPERATOR } from "../context.ts";
import { runCommand, ScratchHub } from "../scratch-hub.fixture.ts";

const PUT = "system_fleet_put_object";

let hubs: TestHubs;
before(async () => {
  hubs = await TestHubs.open();
  await (await hubs.start()).stop();
});
after(() => hubs[Symbol.asyncDispose]());

/** The hub's own settings, with a config folder that somebody has lost or never had. */
function settings(name: string, more: NodeJS.ProcessEnv = {}) {
  const config = join(hubs.home, "configs", name);
  const env = {
    ...hubs.env(),
    COUNTERSIGN_CONFIG_DIR: config,
    COUNTERSIGN_ROOT_KEY_FILE: join(hubs.home, "config", "hub", "root.key"),
    ...more,
  };
  const recover = async (...args: string[]) => {
    const { code, out, err } = await runCommand(env, ["recover", ...args, "--json"]);
    return { code, err, answer: out === "" ? undefined : JSON.parse(out) };
  };
  return { env, recover, person: new TestPerson(join(config, "cli")) };
}

async function assertVerifies(): Promise<void> {
  const { code, out, err } = await runCommand(hubs.env(), ["journal", "verify", "--json"]);
  assert.equal(code, 0, out + err);
  assert.ok(!out.includes("no place in the account's log"), out);
}

/** What a refusal must leave as it was. */
const state = async () =>
  (
    await hubs.sql<Record<string, string>>(
      `select (select count(*) from policy_document) as policies, (select count(*) from receipt where action like 'recover%') as receipts,
         (select count(*) from token) as tokens, (select count(*) from person_key) as keys`,
    )
  )[0];

const receiptsOf = (callId: string) =>
  hubs.sql<{ action: string; phase: string; code: string }>(
    "select action, phase, code from receipt where call_id = $1 order by phase",
    [callId],
  );

const recoveredEvents = () =>
  hubs.sql<{ data: Record<string, string>; position: string | null }>(
    "select data, position from event where type = 'identity.account_recovered' order by position desc",
  );

/** As no action of the hub's would. */
const banEveryOperator = () =>
  hubs.sql(
    `insert into ban (account_id, id, principal_id, reason, banned_by)
     select account_id, gen_random_uuid(), id, 'leaked', id from principal
     where kind = 'operator' and account_id = $1`,
    [hubs.accountId],
  );

describe("policy", () => {
  test("one that locks its author out gives way, beside a running hub; the hub's receipts and these verify", async () => {
    const hub = await hubs.start();
    const client = hubs.ada.operator(hub);
    const { output: me } = await client.done("system_identity_whoami");
    const id = (me["principal"] as { id: string }).id;
    const cedar = `@id("own/lock-out") @why("A mistake.")
      forbid (principal == Operator::"${id}", action in Action::"system.policy.write", resource);`;
    const document = { ...policyOf(PUT, "auto"), authorization: { cedar } };
    await hubs.ada.run(hub, "system_policy_put", { document, baseVersion: 1 });
    const again = () => client.call("system_policy_put", { document: policyOf(PUT, "auto"), baseVersion: 3 });
    await assert.rejects(again(), { code: "FORBIDDEN" });

    const { recover } = settings("policy");
    const before = await state();
    const unasked = await recover("policy");
    assert.equal(unasked.code, 3);
    assert.equal(unasked.answer.error.code, "CONFIRMATION_DECLINED");
    assert.match(unasked.err, /in force as version 3/);
    assert.deepEqual(await state(), before);

    const { code, err, answer } = await recover("policy", "--yes");
    assert.equal(code, 0, err);
    assert.equal(answer.version, 3);
    assert.deepEqual(await receiptsOf(answer.receipt.callId), [
      { action: "recover_policy", phase: "intent", code: "PENDING" },
      { action: "recover_policy", phase: "outcome", code: "OK" },
    ]);
    assert.equal((await again()).status, "pending", "the same call is asked about again, and no longer forbidden");
    const [event] = await recoveredEvents();
    assert.equal(event?.data["callId"], answer.receipt.callId);
    assert.equal((await recover("policy", "--yes")).answer.error.code, "CONFLICT");
    await hub.stop();
    await assertVerifies();
  });

  test("of another account, where that is named", async () => {
    const zoe = await hubs.addAccount("Zoe");
    const { recover } = settings("policy");
    const unknown = await recover("policy", "--yes", "--account", "0193a000-0000-7000-8000-000000000001");
    assert.equal(unknown.answer.error.code, "NOT_FOUND");
    assert.equal((await recover("policy", "--account", zoe.accountId, "--yes")).answer.error.code, "CONFLICT");
    await hubs.sql(
      `insert into policy_document (account_id, version, document, hash, created_by)
       select account_id, 2, '{}', 'x', created_by from policy_document where account_id = $1 and version = 1`,
      [zoe.accountId],
    );
    const { code, answer } = await recover("policy", "--account", zoe.accountId, "--yes");
    assert.equal(code, 0);
    assert.deepEqual([answer.accountId, answer.version], [zoe.accountId, 3]);
    await assertVerifies();
  });
});

describe("operator", () => {
  test("banned, key and token lost: acts again with new ones, which the hub learns while it is stopped", async () => {
    await banEveryOperator();
    const { recover, person: ada } = settings("ada");
    const { code, err, answer } = await recover("operator", "--yes");
    assert.equal(code, 0, err);
    assert.match(err, /lifts its ban[^]*leaked[^]*enrols the signing key[^]*ends 1 other signing key[^]*ends 1 token/);
    assert.equal(answer.operator.name, "Ada");
    assert.deepEqual([answer.endedKeys.length, answer.endedTokens.length], [1, 1]);
    assert.deepEqual(
      (await receiptsOf(answer.receipt.callId)).map(({ phase, code: ending }) => [phase, ending]),
      [
        ["intent", "PENDING"],
        ["outcome", "OK"],
      ],
    );
    const [event] = await recoveredEvents();
    assert.deepEqual([event?.data["what"], event?.data["keyId"]], ["operator", answer.keyId]);
    assert.notEqual(event?.position, null, "who follows events is told without waiting for a start");
    await assertVerifies();

    const hub = await hubs.start();
    await assert.rejects(hubs.ada.operator(hub).done("system_identity_whoami"), { code: "TOKEN_REVOKED" });
    // the former key, with the new token
    hubs.ada.folder.saveToken("operator", ada.token());
    const requestId = await ask(hubs.ada.agent(hub), PUT, { object: moduleNamed("recovered") });
    await assert.rejects(hubs.ada.decide(hub, requestId), { code: "DECISION_INVALID" });
    await ada.decide(hub, requestId);
    assert.equal((await settledRequest(ada.operator(hub), requestId)).state, "executed");
    await hub.stop();
    await assertVerifies();
  });

  test("beside a running hub: at once, and a key that is here already is kept", async () => {
    const hub = await hubs.start();
    const { recover, person: ada, env } = settings("ada", { COUNTERSIGN_URL: hub.url });
    const former = ada.token();
    await banEveryOperator();
    await assert.rejects(ada.operator(hub).done("system_identity_whoami"), { code: "PRINCIPAL_BANNED" });
    const { code, err, answer } = await recover("operator", "--yes", "--name", "ADA");
    assert.equal(code, 0, err);
    assert.deepEqual([answer.endedKeys.length, answer.endedTokens.length], [0, 1]);
    assert.notEqual(ada.token(), former);
    await ada.operator(hub).done("system_identity_whoami");
    assert.equal(ada.folder.hub()?.accountId, hubs.accountId, "the folder knows where the hub is again");
    const shown = await runCommand({ ...env, COUNTERSIGN_URL: "" }, ["journal", "show", answer.receipt.id, "--json"]);
    assert.equal(shown.code, 0, shown.out + shown.err);
    await hub.stop();
    await assertVerifies();
  });

  test("one of several has to be named, and to administer the account", async () => {
    const hub = await hubs.start();
    const { person: ada, recover } = settings("ada");
    hubs.ada.folder.saveToken("operator", ada.token());
    copyFileSync(join(ada.folder.path, "signing-key.pem"), join(hubs.ada.folder.path, "signing-key.pem"));
    await hubs.join(hub, "Ben");
    await hubs.join(hub, "Cleo", ["approver"]);
    await hub.stop();
    const before = await state();
    for (const [args, code] of [
      [[], "INPUT_INVALID"],
      [["--name", "Cleo"], "INPUT_INVALID"],
      [["--name", "agent"], "INPUT_INVALID"],
      [["--name", "Dora"], "NOT_FOUND"],
      [["--name", "Ben"], "ALREADY_EXISTS"], // the key here is Ada's
    ] as const)
      assert.equal((await recover("operator", "--yes", ...args)).answer.error.code, code, args.join(" "));
    assert.deepEqual(await state(), before);
    const { code, answer } = await settings("ben").recover("operator", "--yes", "--name", "Ben");
    assert.equal(code, 0);
    assert.equal(answer.operator.name, "Ben");
    await assertVerifies();
  });

  test("a folder of another account, and a key that was revoked, are left alone", async () => {
    const other = settings("other");
    other.person.folder.saveHub({
      url: "http://127.0.0.1:9/mcp",
      accountId: "0193a000-0000-7000-8000-000000000001",
    });
    const former = settings("former");
    mkdirSync(former.person.folder.path, { recursive: true, mode: 0o700 });
    // Ada's key is revoked: she is recovered elsewhere
    const key = "signing-key.pem";
    copyFileSync(join(hubs.ada.folder.path, key), join(former.person.folder.path, key));
    assert.equal((await settings("elsewhere").recover("operator", "--yes", "--name", "Ada")).code, 0);
    const before = await state();
    for (const { recover } of [other, former])
      assert.equal((await recover("operator", "--yes", "--name", "Ada")).answer.error.code, "ALREADY_EXISTS");
    assert.deepEqual(await state(), before);
    assert.equal(other.person.folder.token("operator"), undefined);
  });

  test("where nobody agrees, no key is made", async () => {
    const { recover, person } = settings("unasked");
    assert.equal((await recover("operator", "--name", "Ada")).code, 3);
    assert.ok(!existsSync(person.folder.path));
  });
});

describe("who may not", () => {
  const refusals: Readonly<Record<string, [code: string, env: () => NodeJS.ProcessEnv]>> = {
    "without the root key": ["KEY_SERVICE_UNREACHABLE", () => ({ COUNTERSIGN_ROOT_KEY_FILE: join(hubs.home, "none") })],
    "with the runtime role alone": [
      "KEY_SERVICE_UNREACHABLE",
      () => ({ COUNTERSIGN_ROOT_KEY_FILE: join(hubs.home, "none"), COUNTERSIGN_MIGRATION_URL: "" }),
    ],
    "with another hub's root key": [
      "KEY_SERVICE_UNREACHABLE",
      () => ({ COUNTERSIGN_ROOT_KEY_FILE: foreignKey(0o600) }),
    ],
    "with a root key that others can read": [
      "CONFIG_INVALID",
      () => ({ COUNTERSIGN_ROOT_KEY_FILE: foreignKey(0o644) }),
    ],
    "as the database's superuser": [
      "DATABASE_ROLE_UNSAFE",
      () => ({ DATABASE_URL: urlOf(hubs.db.superuser), COUNTERSIGN_MIGRATION_URL: "" }),
    ],
  };
  for (const [who, [code, env]] of Object.entries(refusals))
    test(who, async () => {
      const { recover } = settings("nobody", env());
      const before = await state();
      for (const what of ["policy", "operator"]) {
        const refused = await recover(what, "--yes");
        assert.equal(refused.answer.error.code, code, refused.err);
        assert.notEqual(refused.code, 0);
      }
      assert.deepEqual(await state(), before);
      assert.equal(new CliFolder(join(hubs.home, "configs", "nobody", "cli")).signingKey(), undefined);
    });

  test("where there is no database", async () => {
    const { recover } = settings("nobody", { DATABASE_URL: "", COUNTERSIGN_MIGRATION_URL: "" });
    assert.equal((await recover("policy", "--yes")).answer.error.code, "CONFIG_INVALID");
  });

  function foreignKey(mode: number): string {
    const path = join(hubs.home, `foreign-${mode}.key`);
    writeFileSync(path, `${Buffer.alloc(32, 9).toString("base64")}\n`, { mode });
    return path;
  }
});

test("in the hub's own PostgreSQL, with the folders as they are: the key is kept, and the pinned root key holds", async () => {
  await using hub = await ScratchHub.open();
  const former = hub.folder.token(OPERATOR);
  const recovered = await hub.run("recover", "operator", "--yes");
  assert.equal(recovered.code, 0, recovered.err);
  assert.match(recovered.err, /keeps the signing key/);
  assert.notEqual(hub.folder.token(OPERATOR), former);
  assert.equal((await hub.run("call", "system_identity_whoami")).code, 0);
  await hub.stop();
  assert.equal((await hub.run("recover", "operator", "--yes")).code, 0);
  const verified = await hub.run("journal", "verify");
  assert.equal(verified.code, 0, verified.out);
  assert.doesNotMatch(verified.out, /root key was taken from the journal/);
});

function urlOf({ user, password, host, port, database }: pg.PoolConfig): string {
  return `postgres://${user}:${encodeURIComponent(String(password))}@${encodeURIComponent(host ?? "")}:${port}/${database}`;
}
