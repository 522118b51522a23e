import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { configFrom, secretsFrom } from "../../../server/config/config.ts";
import { readEnv } from "../../../server/config/env.ts";
import { HubError } from "../../../server/errors.ts";
import { TestHubs } from "../../../server/test-hub.ts";
import { openJournals } from "../journal/open-journals.ts";
import { openAccount } from "./open-account.ts";
import { type Change, recordChange } from "./record-change.ts";

let hubs: TestHubs;
before(async () => {
  hubs = await TestHubs.open();
  await (await hubs.start()).stop();
});
after(() => hubs[Symbol.asyncDispose]());

const LOG = { level: "silent", format: "json" } as const;

/** Makes an effect and records it; answers with the call's receipts, and whether all of them verify. */
async function record(effect: Change<{ renamed: string }>["effect"]) {
  const env = readEnv(hubs.env());
  const [config, secrets] = [configFrom(env), secretsFrom(env)];
  await using account = await openAccount(config, secrets);
  const target = { type: "Account", id: account.id };
  let callId = "";
  const change = recordChange(account, LOG, {
    action: "recover_policy",
    input: {},
    target,
    effect: (session, call) => {
      callId = call.callId;
      return effect(session, call);
    },
  });
  const [ended] = await Promise.allSettled([change]);
  await using journals = await openJournals(config, secrets);
  const { ok, limits } = await journals.verify(account.id, undefined, () => {});
  assert.ok(ok);
  assert.ok(!limits.some((limit) => /cut off|no place/.test(limit)), limits.join("\n"));
  const rows = await hubs.sql<{ phase: string; code: string }>(
    "select phase, code from receipt where call_id = $1 order by phase",
    [callId],
  );
  return { ended, receipts: rows.map(({ phase, code }) => `${phase} ${code}`) };
}

const RENAME = "update person set name = $1";
const names = async () => (await hubs.sql<{ name: string }>("select name from person")).map(({ name }) => name);

test("an effect and its outcome commit together, between an intent and the log", async () => {
  const { ended, receipts } = await record(async (session) => {
    await session.query(RENAME, ["Eve"]);
    return { renamed: "Eve" };
  });
  assert.equal(ended?.status, "fulfilled");
  assert.deepEqual(receipts, ["intent PENDING", "outcome OK"]);
  assert.deepEqual(await names(), ["Eve"]);
});

test("an effect that is refused leaves its code in the journal, and nothing else", async () => {
  const { ended, receipts } = await record(async (session) => {
    await session.query(RENAME, ["Mallory"]);
    throw new HubError("CONFLICT", "on purpose");
  });
  assert.equal(ended?.status, "rejected");
  assert.deepEqual(receipts, ["intent PENDING", "outcome CONFLICT"]);
  assert.deepEqual(await names(), ["Eve"]);
});

test("an effect of which nobody knows whether it happened is closed by what the database holds", async () => {
  const { ended, receipts } = await record(async (session) => {
    await session.query(RENAME, ["Mallory"]);
    throw new HubError("AMBIGUOUS", "on purpose");
  });
  assert.equal(ended?.status, "rejected");
  assert.deepEqual(receipts, ["intent PENDING", "outcome AMBIGUOUS"]);
  assert.deepEqual(await names(), ["Eve"]);
});
