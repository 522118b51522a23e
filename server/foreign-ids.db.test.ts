/** Ids of another account are as unknown as ids that nobody has, to every action that takes one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { v7 } from "uuid";
import { syncRunView } from "../contracts/gitops/sync-run.ts";
import { ScratchRepository } from "../scripts/scratch-repository.ts";
import { actions } from "../tools/index.ts";
import { createRegistry } from "./action/registry.ts";
import { fleetFile } from "./gitops.fixture.ts";
import { ask, eventually, loosen, moduleNamed, TestHubs, type TestPerson } from "./test-hub.ts";
import { type Answer, Wire } from "./wire.fixture.ts";

const PUT = "system_fleet_put_object";

let hubs: TestHubs;
let wire: Wire;
/** A person of another account, with an agent. */
let eve: TestPerson & { readonly accountId: string };

type Schema = Readonly<Record<string, unknown>> & { readonly properties?: Readonly<Record<string, Schema>> };

/** What some fields ask of others. */
const TOGETHER: Readonly<Record<string, Answer>> = {
  personId: { kind: "operator", roles: ["reader"] },
  ownerPersonId: { kind: "agent", roles: ["agent"] },
  as: { action: "system_identity_whoami" },
};
const registered = createRegistry(actions)
  .list()
  .filter(({ action }) => action.channels.includes("http"));
/** Names an account: the hub's own operators say in which of all accounts. */
const ACROSS = ["accountId"];
const takesId = ({ format, pattern }: Schema) => format === "uuid" || String(pattern).includes("(intent|outcome)");
const taking = registered.flatMap(({ action, inputSchema }) => {
  const { properties = {}, required = [] } = inputSchema as Schema & { required?: string[] };
  return Object.keys(properties)
    .filter((field) => !ACROSS.includes(field) && takesId(properties[field] as Schema))
    .map((field) => {
      const rest = required.filter((name) => name !== field).map((name) => [name, sample(properties[name] as Schema)]);
      const known = Object.entries(TOGETHER[field] ?? {}).filter(([name]) => name in properties);
      return { action: action.name, field, rest: Object.fromEntries([...rest, ...known]) as Answer };
    });
});
let own: Record<string, string> = {};
let foreign: Record<string, string> = {};

before(async () => {
  hubs = await TestHubs.open();
  const hub = await hubs.start();
  wire = new Wire(hubs, hub);
  eve = await hubs.addAccount("Eve");
  for (const person of [hubs.ada, eve]) await loosen(person, hub, PUT);
  own = await idsOf(hubs.ada);
  foreign = await idsOf(eve);
});

/** Something that fits the schema of a field which other fields are tested beside. */
function sample({ type, enum: words, items, format }: Schema): unknown {
  if (Array.isArray(words)) return words[0];
  if (type === "array") return [sample(items as Schema)];
  if (type === "integer") return 1;
  return format === "uuid" ? v7() : "a word";
}

after(() => hubs[Symbol.asyncDispose]());

/** An id of everything that an account has ids for; what they stand for may be banned, revoked and cancelled. */
async function idsOf(person: TestPerson): Promise<Record<string, string>> {
  const operator = person.operator(wire.hub);
  const me = (await operator.done("system_identity_whoami")).output;
  const { id: personId } = (me.principal as { person: { id: string } }).person;
  const service = { kind: "service", name: "spare", roles: ["reader"] };
  const { principal } = await person.run(wire.hub, "system_identity_create_principal", service);
  const { id: principalId } = principal as { id: string };
  const granted = await person.run(wire.hub, "system_identity_issue_token", { principalId, note: "spare" });
  const { id: tokenId } = (await operator.done("system_identity_claim_secret", { claimId: granted.claimId })).output;
  const spare = { personName: "Nobody", roles: ["reader"] };
  const { claimId, invitationId } = await person.run(wire.hub, "system_identity_invite_person", spare);
  const requestId = await ask(operator, "system_identity_create_principal", { ...service, name: "another" });
  const operationId = await ask(operator, "system_identity_create_principal", { ...service, name: "a third" });
  const { receipt } = await person.agent(wire.hub).done(PUT, { object: moduleNamed("with-a-receipt") });
  const { runId, proposalId } = await syncedRun(person, personId);
  const backupId = await recordedBackup(receipt.callId);
  const credentialId = await lostCredential(person);
  const work = { operationId, runId, proposalId, backupId, credentialId, ...(await keyWork(person, runId)) };
  const ids = { personId, principalId, tokenId, claimId, invitationId, requestId, callId: receipt.callId, ...work };
  const also = { ownerPersonId: personId, requesterId: principalId, as: principalId, id: receipt.id };
  return { ...ids, ...also } as Record<string, string>;
}

/** A rotation and a verification, which the hub's own account alone has; of another account, some operation of its own. */
async function keyWork(person: TestPerson, runId: string): Promise<{ rotationId: string; verificationId: string }> {
  if (person === eve) return { rotationId: runId, verificationId: runId };
  const { rotation } = await person.run(wire.hub, "system_rotate_vault_transit_pepper", {});
  const { verification } = await person.run(wire.hub, "system_vault_verify_credentials", {});
  const [rotationId, verificationId] = [(rotation as { id: string }).id, (verification as { id: string }).id];
  // nothing is to happen any more that no test does
  for (const operationId of [rotationId, verificationId])
    await eventually("end of the work", async () => {
      const { output } = await person.operator(wire.hub).done("system_operations_get", { operationId });
      return (output["operation"] as { state: string }).state === "completed" ? true : undefined;
    });
  return { rotationId, verificationId };
}

/** One that the account's journal has, and whose row is gone. */
async function lostCredential(person: TestPerson): Promise<string> {
  const { credential } = await person.run(wire.hub, "system_credentials_store", {
    ...{ name: "lost", kind: "bearer-token", description: "a test" },
    ...{ allowedHosts: ["api.example.com"], consumers: ["gateway"] },
  });
  const { id } = credential as { id: string };
  await hubs.sql("delete from credential where id = $1", [id]);
  return id;
}

/** As the command line leaves one that it began, in the account of this call. */
async function recordedBackup(callId: string): Promise<string> {
  const id = v7();
  await hubs.sql(
    `insert into backup (account_id, id, file_name, created_at)
     select distinct account_id, $1::uuid, 'hub.backup', now() from receipt where call_id = $2`,
    [id, callId],
  );
  return id;
}

/** A repository of the person's own, synced. */
async function syncedRun(person: TestPerson, name: string): Promise<{ runId: string; proposalId: string }> {
  const repository = new ScratchRepository(join(hubs.repositories, name));
  repository.commit({ "fleet.yaml": fleetFile("synced") });
  await person.run(wire.hub, "system_gitops_register_repository", { name: "synced", url: repository.url });
  const { run } = await person.run(wire.hub, "system_gitops_sync_repository", { repository: "synced" });
  const { id: runId } = run as { id: string };
  const proposals = await eventually("proposal of the sync", async () => {
    const { output } = await person.operator(wire.hub).done("system_gitops_get_sync_run", { runId });
    const { status, proposals } = syncRunView.parse(output["run"]);
    return status === "pending" ? undefined : proposals;
  });
  return { runId, proposalId: proposals[0]?.id ?? "" };
}

/** Without what differs from call to call, and without the id that was asked for. */
function saying(
  { status, answer: { instance: _, receipt: _r, ...answer } }: { status: number; answer: Answer },
  id: string,
) {
  return JSON.stringify({ status, answer }).replaceAll(id, "<id>");
}

it("are in every kind of field that takes one", () => {
  assert.deepEqual(new Set(taking.map(({ field }) => field)), new Set(Object.keys(own)));
  assert.ok(taking.length >= 15);
});

for (const { action, field, rest } of taking) {
  it(`are as unknown as any other: ${action}, ${field}`, async () => {
    const token = hubs.ada.token();
    const bodyOf = (id = "") => ({ token, body: { ...rest, [field]: id } });
    const unknown = field === "id" ? `${v7()}.outcome` : v7();
    const [theirs = "", ours = ""] = [foreign[field], own[field]];
    const [told, toldOfNothing] = [await wire.send(action, bodyOf(theirs)), await wire.send(action, bodyOf(unknown))];
    assert.equal(saying(told, theirs), saying(toldOfNothing, unknown));
    const { items, code } = (told.answer.output ?? {}) as { items?: unknown; code?: string };
    if (told.answer.status === "done") assert.deepEqual(code ?? items, code === undefined ? [] : "NOT_FOUND");
    else await wire.refused("theirs", action, bodyOf(theirs), { code: "NOT_FOUND" });

    const twin = (await wire.send(action, bodyOf(ours))).answer;
    assert.notEqual(twin.code, "NOT_FOUND", JSON.stringify(twin));
    assert.notEqual(twin.code, "INPUT_INVALID", JSON.stringify(twin));
  });
}

it("leave no trace in that account", async () => {
  const [made] = await hubs.sql<{ principals: string[] }>(
    "select array_agg(distinct principal_id::text) as principals from receipt where account_id = $1",
    [eve.accountId],
  );
  const principals = (
    await hubs.sql<{ id: string }>("select id from principal where account_id = $1", [eve.accountId])
  ).map(({ id }) => id);
  assert.ok(made?.principals.every((id) => principals.includes(id)));
});
