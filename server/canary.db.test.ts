/**
 * Secrets stay where they belong: after every action was called once, none is found in the clear in any column of any
 * table, in what the hub logged at its most talkative, or in what receipts and events tell.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AGENT, OPERATOR } from "../cli/context.ts";
import { INVITATION_PREFIX, parseSecret, TOKEN_PREFIX } from "../contracts/identity/bearer-secret.ts";
import { loseCredential } from "../scripts/generators/examples/lose-credential.ts";
import { makeBackup } from "../scripts/generators/examples/make-backup.ts";
import { GIVEN_SECRET, walkThrough } from "../scripts/generators/examples/scenario.ts";
import { ScratchRepository } from "../scripts/scratch-repository.ts";
import { canary, everyRow, everythingTold, found, foundInRows } from "./canary.fixture.ts";
import { ask, moduleNamed, TestHubs } from "./test-hub.ts";

const PUT = "system_fleet_put_object";
/** Longer than a preview shows of one value, so that it ends in the held input alone. */
const LONG = "n".repeat(3_000);

function secretOf(token: string): Buffer {
  const secret = parseSecret(token.startsWith("csi_") ? INVITATION_PREFIX : TOKEN_PREFIX, token)?.secret;
  assert.ok(secret, "a token or an invitation code");
  return secret;
}

const bearer = (name: string, token: string) => canary(name, token, secretOf(token));

test("no secret is in the clear in the database, the log, receipts or events", async () => {
  await using hubs = await TestHubs.open();
  const hub = await hubs.start({ COUNTERSIGN_LOG_LEVEL: "trace" });
  const { ada } = hubs;
  const agent = ada.agent(hub);

  const held = "canary-held-6f1a";
  const waiting = await ask(agent, PUT, { object: { ...moduleNamed("held"), annotations: { n: `${LONG}${held}` } } });
  const key = "canary-key-52c7";
  const keyed = "canary-kept-outcome-93bd";
  const keptRequest = await ask(agent, PUT, { object: { ...moduleNamed("kept"), annotations: { n: keyed } } }, key);
  await ada.decide(hub, keptRequest);
  const refused = "canary-refused-0d44";
  await assert.rejects(agent.call(PUT, { object: { ...moduleNamed("refused"), [refused]: refused } }), {
    code: "INPUT_INVALID",
  });
  await assert.rejects(agent.call(PUT, { object: { ...moduleNamed("refused"), name: refused.toUpperCase() } }), {
    code: "INPUT_INVALID",
  });
  await fetch(hub.at(`/v1/actions/${PUT}?token=${ada.token()}`), {
    method: "POST",
    headers: { authorization: `Bearer ${ada.token()}` },
  });
  await fetch(hub.at("/mcp"), { method: "POST", headers: { authorization: `Bearer ${ada.token()}x` }, body: refused });

  const signing = ada.folder.signingKey();
  assert.ok(signing);
  const walked = await walkThrough({
    url: hub.url,
    tokens: { operator: ada.token(OPERATOR), agent: ada.token(AGENT) },
    key: signing,
    repository: new ScratchRepository(join(hubs.repositories, "shop")),
    makeBackup: () => makeBackup(hubs.home, hubs.env()),
    loseCredential: (name) => loseCredential(hubs.db.superuser, name),
  });
  const claimed = walked.filter(({ action }) => action === "system_identity_claim_secret");
  const secrets = claimed.map(({ answer }) => (answer.output as { secret: string }).secret);
  assert.ok(secrets.length >= 1);
  const rootKeyFile = readFileSync(join(hubs.home, "config", "hub", "root.key"), "utf8").trim();
  const seed = Buffer.from(String(signing.privateKey.export({ format: "jwk" }).d), "base64url");
  const { password } = hubs.db.runtime ?? {};

  const canaries = [
    bearer("Ada's token", ada.token()),
    bearer("the agent's token", ada.token(AGENT)),
    ...secrets.map((secret) => bearer(`a claimed ${secret.startsWith("csi_") ? "invitation code" : "token"}`, secret)),
    canary("Ada's signing key", seed),
    canary("the hub's root key", Buffer.from(rootKeyFile, "base64")),
    canary("the database password", String(password)),
    canary("a held input", held),
    canary("a credential's secret", GIVEN_SECRET),
    canary("what was refused", refused, refused.toUpperCase()),
  ];
  const rows = await everyRow(hubs);
  assert.deepEqual(foundInRows(canaries, rows), []);
  const log = hub.log();
  assert.deepEqual(found(canaries, "the log", log), []);
  const receipts = await everythingTold(hubs, hub, "system_journal_list_receipts");
  const events = await everythingTold(hubs, hub, "system_events_list");
  assert.deepEqual(found(canaries, "receipts and events", JSON.stringify([receipts, events])), []);

  // the search finds what is there: an object's own text where objects are kept, and nowhere else
  const kept = canary("an object's text", keyed);
  assert.deepEqual(foundInRows([kept], rows), [
    "public.approval_request: an object's text",
    "public.fleet_object: an object's text",
  ]);
  assert.deepEqual(found([kept], "the log", log), []);
  assert.ok(log.includes(`"subject":"${PUT}"`));
  assert.ok(receipts.length > 50 && events.length > 20);
  const publicKey = canary("Ada's public key", signing.publicKey.export({ type: "spki", format: "der" }));
  assert.ok(foundInRows([publicKey], rows).includes("public.person_key: Ada's public key"));
  await ada.agent(hub).done("system_approval_cancel_request", { requestId: waiting });
});
