/** OpenPGP keys at the doors of a whole hub: who may add one, and that a private one that is sent by mistake is not kept. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AGENT } from "../cli/context.ts";
import { signDecision } from "../cli/decide-request.ts";
import { HubClient } from "../cli/hub-client.ts";
import { openRequest } from "../contracts/approval/request.ts";
import { requestDetail } from "../contracts/approval/request-view.ts";
import { signEnvelope } from "../contracts/formats/dsse.ts";
import { generateKeyPair, type KeyPair } from "../contracts/formats/ed25519.ts";
import { readCertificate } from "../contracts/formats/openpgp/certificate.ts";
import { openpgp } from "../contracts/formats/openpgp/library.ts";
import { keyEnrolmentBytes, keyEnrolmentPayload } from "../contracts/identity/key-enrolment.ts";
import { type ScratchOpenPgpKey, scratchOpenPgpKey } from "../scripts/generators/examples/scratch-openpgp-key.ts";
import { ask, moduleNamed, settledRequest, type TestHub, TestHubs, type TestPerson } from "./test-hub.ts";

const ADD = "system_identity_add_key";
const PUT = "system_fleet_put_object";

let hubs: TestHubs;
let hub: TestHub;
let ben: TestPerson;
let key: ScratchOpenPgpKey;
before(async () => {
  hubs = await TestHubs.open();
  hub = await hubs.start();
  ben = await hubs.join(hub, "Ben", ["approver"]);
  await hubs.ada.run(hub, "system_identity_set_profile", { profile: "team" });
  key = await scratchOpenPgpKey("Ben");
});
after(() => hubs[Symbol.asyncDispose]());

function keyOf(person: TestPerson): KeyPair {
  const pair = person.folder.signingKey();
  assert.ok(pair);
  return pair;
}

/** What the person's command line sends, endorsed by `endorser`. */
async function enrolment(person: TestPerson, endorser: KeyPair = keyOf(person)) {
  const { output } = await person.operator(hub).done("system_identity_whoami");
  const { person: whose } = output.principal as { person: { id: string } };
  const { keyId, bytes } = await readCertificate(key.certificate);
  const payload = keyEnrolmentPayload({
    ...{ account: hubs.accountId, personId: whose.id, keyId, certificate: bytes },
    requestedAt: new Date().toISOString(),
  });
  const proof = (await key.sign(keyEnrolmentBytes(payload))).toString("base64");
  return { certificate: key.certificate, endorsement: signEnvelope(payload, endorser), proof };
}

test("a private key that is sent by mistake is refused, and nothing of it is in the database or the log", async () => {
  const { generateKey, readPrivateKey } = await openpgp();
  const { privateKey } = await generateKey({ type: "ecc", userIDs: { name: "Ben" } });
  const secret = await readPrivateKey({ armoredKey: privateKey });
  const lines = privateKey.split(/\r?\n/).filter((line) => line.length > 40);
  const bytes = Buffer.from(secret.write()).toString("hex");
  const input = await enrolment(ben);
  for (const certificate of [privateKey, privateKey.replaceAll("PRIVATE", "PUBLIC")]) {
    await assert.rejects(ben.operator(hub).done(ADD, { ...input, certificate }), {
      code: "INPUT_INVALID",
      path: "certificate",
    });
  }
  const tables = await hubs.sql<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) => hubs.sql<{ row: string }>(`select t::text as row from ${name} t`)),
  );
  const kept = [...rows.flat().map(({ row }) => row), hub.log()].join("\n");
  assert.ok(kept.includes(hubs.accountId));
  for (const trace of [...lines, bytes.slice(0, 60), bytes.slice(-60)]) assert.ok(!kept.includes(trace));
});

test("a token alone adds no key, an agent none at all, and its person with a key of theirs does", async () => {
  const stolen = ben.operator(hub);
  const input = await enrolment(ben, generateKeyPair());
  await assert.rejects(stolen.done(ADD, input), { code: "PROOF_INVALID", path: "endorsement" });
  const ofAda = await enrolment(ben, keyOf(hubs.ada));
  await assert.rejects(stolen.done(ADD, ofAda), { code: "PROOF_INVALID", path: "endorsement" });
  const good = await enrolment(ben);
  await assert.rejects(hubs.ada.agent(hub).done(ADD, good), { code: "FORBIDDEN" });
  // Ada cannot take Ben's key for hers
  await assert.rejects(hubs.ada.operator(hub).done(ADD, good), { code: "PROOF_INVALID" });
  const { output } = await stolen.done(ADD, good);
  assert.equal((output.key as { person: { name: string } }).person.name, "Ben");
});

test("an approver lists and revokes their own keys, and nobody else's", async () => {
  const operator = ben.operator(hub);
  const { output } = await operator.done("system_identity_whoami");
  const personId = (output.principal as { person: { id: string } }).person.id;
  const { items } = (await operator.done("system_identity_list_keys", { personId, withPublicKey: true })).output as {
    items: { id: string; algorithm: string; publicKey: string }[];
  };
  assert.equal(items.length, 2);
  const openPgp = items.find(({ algorithm }) => algorithm === "openpgp");
  assert.equal((await readCertificate(Buffer.from(openPgp?.publicKey ?? "", "base64"))).keyId, openPgp?.id);
  await assert.rejects(operator.done("system_identity_list_keys"), { code: "FORBIDDEN" });
  const all = (await hubs.ada.operator(hub).done("system_identity_list_keys")).output.items as typeof items;
  const adas = all.find(({ id }) => !items.some((own) => own.id === id));
  await assert.rejects(operator.done("system_identity_revoke_key", { keyId: adas?.id }), { code: "FORBIDDEN" });
});

test("an approval by the OpenPGP key is carried out, and one by it after its revocation is refused", async () => {
  const { keyId } = await readCertificate(key.certificate);
  const signer = { keyId, sign: (bytes: Buffer) => key.sign(bytes) };
  const decide = async (requestId: string) => {
    const client = ben.operator(hub);
    const detail = await client.output(requestDetail, "system_approval_get_request", { requestId });
    const request = openRequest(requestId, detail);
    return signDecision(ben.folder, client, { id: requestId, request, decision: "approve" }, signer);
  };
  const agent = new HubClient(hub.url, hubs.ada.token(AGENT));
  const first = await ask(agent, PUT, { object: moduleNamed("first") });
  assert.equal((await decide(first)).state, "approved");
  assert.equal((await settledRequest(agent, first)).state, "executed");

  const second = await ask(agent, PUT, { object: moduleNamed("second") });
  await ben.operator(hub).done("system_identity_revoke_key", { keyId });
  await assert.rejects(decide(second), { code: "DECISION_INVALID" });
  assert.equal((await ben.decide(hub, second)).state, "approved");
  assert.equal((await settledRequest(agent, second)).state, "executed");
  const { output } = await hubs.ada.operator(hub).done("system_journal_verify");
  assert.equal(output.ok, true);
});
