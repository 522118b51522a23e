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
import { walkThrough } from "../scripts/generators/examples/scenario.ts";
import { ScratchRepository } from "../scripts/scratch-repository.ts";
import { ask, moduleNamed, type TestHub, TestHubs } from "./test-hub.ts";

const PUT = "system_fleet_put_object";
/** Longer than a preview shows of one value, so that it ends in the held input alone. */
const LONG = "n".repeat(3_000);

/** A secret, in every form that it could be written down in. */
interface Canary {
  readonly name: string;
  readonly forms: readonly string[];
}

function canary(name: string, ...values: readonly (string | Buffer)[]): Canary {
  const forms = values.flatMap((value) => {
    const bytes = Buffer.from(value);
    const written = (["hex", "base64", "base64url"] as const).map((encoding) =>
      bytes.toString(encoding).replace(/=+$/, ""),
    );
    return typeof value === "string" ? [value, ...written] : written;
  });
  for (const form of forms) assert.ok(form.length >= 12, "shorter texts are found by chance");
  return { name, forms: [...new Set(forms)] };
}

function secretOf(token: string): Buffer {
  const secret = parseSecret(token.startsWith("csi_") ? INVITATION_PREFIX : TOKEN_PREFIX, token)?.secret;
  assert.ok(secret, "a token or an invitation code");
  return secret;
}

const bearer = (name: string, token: string) => canary(name, token, secretOf(token));

/** All rows of all tables, of every schema of ours, as `table row`; bytes as hexadecimal digits. */
async function everyRow(hubs: TestHubs): Promise<string[]> {
  const tables = await hubs.sql<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const names = tables.map(({ name }) => name);
  for (const expected of [
    "public.receipt",
    "public.approval_request",
    "public.idempotency",
    "public.event",
    "pgboss.job",
  ])
    assert.ok(names.includes(expected), expected);
  const all = await Promise.all(
    names.map((name) => hubs.sql<{ row: string }>(`select '${name} ' || t::text as row from ${name} t`)),
  );
  return all.flat().map(({ row }) => row);
}

/** The text, and what is inside of it in Base 64 or as hexadecimal digits, and inside of that. */
function opened(text: string, depth = 2): string {
  if (depth === 0) return text;
  const inner = [
    ...[...text.matchAll(/[A-Za-z0-9+/_-]{24,}/g)].map(([run]) => Buffer.from(run, "base64")),
    ...[...text.matchAll(/(?:[0-9a-f]{2}){12,}/g)].map(([run]) => Buffer.from(run, "hex")),
  ];
  return [text, ...inner.map((bytes) => opened(bytes.toString("latin1"), depth - 1))].join("\n");
}

/** `place: secret` for each that is found. */
function found(canaries: readonly Canary[], place: string, text: string): string[] {
  const all = opened(text);
  return canaries
    .filter(({ forms }) => forms.some((form) => all.includes(form)))
    .map(({ name }) => `${place}: ${name}`);
}

function foundInRows(canaries: readonly Canary[], rows: readonly string[]): string[] {
  const places = rows.flatMap((row) => found(canaries, row.split(" ", 1)[0] ?? "", row));
  return [...new Set(places)].sort();
}

/** What the hub tells of everything that happened, page by page. */
async function everythingTold(hubs: TestHubs, hub: TestHub, action: string): Promise<unknown[]> {
  const items: unknown[] = [];
  for (let cursor: unknown; ; ) {
    const { output } = await hubs.ada
      .operator(hub)
      .done(action, { limit: 200, ...(cursor !== undefined && { cursor }) });
    items.push(...(output.items as unknown[]));
    cursor = output.next;
    if (cursor === undefined || (output.items as unknown[]).length === 0) return items;
  }
}

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
