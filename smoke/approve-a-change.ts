/**
 * The whole job from outside: an agent asks for a change through a real MCP client, a person approves it with the
 * command, the hub executes it once, the receipt proves it. Both official SDKs, over stdio and over HTTP.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { publicKeyFromPem } from "../contracts/formats/ed25519.ts";
import { verifyReceiptProof } from "../contracts/formats/receipt-proof.ts";
import { type Answer, type Called, clients, type OutsideClient } from "./outside/clients.ts";
import { OutsideHub } from "./outside/hub.ts";

const DIGEST = `sha256:${"5".repeat(64)}`;

await using hub = new OutsideHub();
await hub.start();
const { rootKey } = JSON.parse(hub.file("config", "cli", "hub.json")) as { rootKey: string };

let number = 0;
for (const [name, connect] of Object.entries(clients)) {
  const client = await connect(hub);
  await approveAChange(client, moduleNamed(`approved-${++number}`));
  await client.close();
  told(`${name}: asked, approved, executed, proven`);
}

await putPolicy("confirm");
for (const [name, connect] of Object.entries(clients)) {
  await confirmAChange(connect, moduleNamed(`confirmed-${++number}`));
  told(`${name}: asked its user, and took yes and no`);
}

const verified = await hub.run("journal", "verify", "--json");
assert.equal(verified.code, 0, verified.out + verified.err);
const { ok, accounts } = JSON.parse(verified.out);
assert.equal(ok, true);
assert.ok(accounts[0].receipts > 40, `${accounts[0].receipts} receipts`);
const remote = await hub.run("journal", "verify", "--remote");
assert.equal(remote.code, 0, remote.err);
told(`the journal holds, seen from outside and by the hub: ${accounts[0].receipts} receipts`);

assert.equal(await hub.stop(), 0);
told("the hub ended cleanly");

type Module = ReturnType<typeof moduleNamed>;

async function approveAChange(agent: OutsideClient, object: Module): Promise<void> {
  const call = (name: string, args: Record<string, unknown> = {}) => agent.callTool({ name, arguments: args });
  const { tools } = await agent.listTools();
  const names = tools.map((tool) => tool.name);
  assert.ok(names.includes("system_fleet_put_object"));
  assert.ok(!names.includes("system_approval_decide_request"), "an agent is shown a tool that it may never use");

  const me = outputOf(await call("system_identity_whoami"));
  assert.equal(me.principal.kind, "agent");
  assert.equal(me.principal.owner.name, "Ada");
  assert.equal(me.account.profile, "solo");

  const asked = await call("system_fleet_put_object", { object });
  assert.equal(codeOf(asked), "APPROVAL_PENDING");
  const { requestId } = metaOf(asked, "countersign/approval");
  const wanted = { kind: object.kind, name: object.name };
  assert.equal(codeOf(await call("system_fleet_get_object", wanted)), "NOT_FOUND");
  assert.equal(codeOf(await call("system_approval_decide_request", { requestId, decision: "approve" })), "FORBIDDEN");

  const approved = await hub.run("approve", requestId, "--yes");
  assert.equal(approved.code, 0, approved.err);
  assert.match(approved.err, new RegExp(`create Module/${object.name}`), "the preview was not shown");
  const again = await hub.run("approve", requestId, "--yes", "--json");
  assert.equal(again.code, 3);
  assert.equal(JSON.parse(again.out).error.code, "APPROVAL_DECIDED");

  const request = await executed(call, requestId);
  assert.equal(request.decisions[0].assurance, "signed");
  const found = outputOf(await call("system_fleet_get_object", wanted)).object;
  assert.equal(found.spec.digest, DIGEST);
  assert.equal(found.updatedBy, me.principal.id);
  await proveIt(call, request.executionCallId);
  await refuseBadInput(call, object);
}

/** Both receipts of the executed call are listed; the outcome's proof leads to the root key that was pinned here. */
async function proveIt(call: (name: string, args: Record<string, unknown>) => Promise<Called>, callId: string) {
  const listed = outputOf(await call("system_journal_list_receipts", { callId }));
  assert.deepEqual(listed.items.map((item: { id: string }) => item.id).sort(), [
    `${callId}.intent`,
    `${callId}.outcome`,
  ]);
  const proof = outputOf(await call("system_journal_get_receipt", { id: `${callId}.outcome` }));
  const known = { rootKey: publicKeyFromPem(rootKey) };
  const { receipt } = verifyReceiptProof(proof, known);
  assert.equal(receipt.code, "OK");
  assert.equal(receipt.action, "system_fleet_put_object");
  assert.equal(receipt.approval?.profile, "solo");
  const forged = { ...proof, statement: proof.statement.replace('"code":"OK"', '"code":"NO"') };
  assert.notEqual(forged.statement, proof.statement);
  assert.throws(() => verifyReceiptProof(forged, known), { code: "PROOF_INVALID" });
}

async function refuseBadInput(call: (name: string, args: Record<string, unknown>) => Promise<Called>, object: Module) {
  const bad = { ...object, spec: { ...object.spec, colour: "red" } };
  const refused = await call("system_fleet_put_object", { object: bad });
  const error = metaOf(refused, "countersign/error");
  assert.equal(error.code, "INPUT_INVALID");
  assert.match(error.path, /^object\.spec/);
  const same = await call("system_fleet_get_object", { kind: object.kind, name: object.name });
  assert.equal(outputOf(same).object.version, 1, "a refused call changed something");
}

/** What the client's user answers decides. Nobody else is asked. */
async function confirmAChange(connect: (typeof clients)[string], object: Module): Promise<void> {
  const answers = [false, true];
  const questions: string[] = [];
  const client = await connect(hub, (message) => {
    questions.push(message);
    return answers.shift() ?? false;
  });
  const put = () => client.callTool({ name: "system_fleet_put_object", arguments: { object } });
  const declined = await put();
  assert.equal(codeOf(declined), "CONFIRMATION_DECLINED");
  const done = outputOf(await put());
  assert.equal(done.change, "created");
  assert.equal(questions.length, 2);
  assert.match(questions[0] ?? "", new RegExp(object.name));
  await client.close();

  // whoever cannot be asked needs a person
  const mute = await connect(hub);
  const next = moduleNamed(`${object.name}-mute`);
  const pending = await mute.callTool({ name: "system_fleet_put_object", arguments: { object: next } });
  assert.equal(codeOf(pending), "APPROVAL_PENDING");
  await mute.close();
}

/** The account's one person puts a policy in force by which fleet puts end as `outcome` says. */
async function putPolicy(outcome: "confirm"): Promise<void> {
  const file = join(hub.home, "policy.json");
  const rule = {
    id: "smoke/puts",
    why: "The smoke check answers for its user.",
    actions: ["system_fleet_put_object"],
    outcome,
    loosens: true,
  };
  const document = {
    apiVersion: "countersign/v1",
    kind: "Policy",
    authorization: { cedar: "" },
    intervention: { rules: [rule] },
  };
  writeFileSync(file, JSON.stringify(document));
  const lint = await hub.run("policy", "lint", file);
  assert.equal(lint.code, 0, lint.out + lint.err);
  const put = await hub.run("policy", "put", file, "--base", "1", "--yes");
  assert.equal(put.code, 0, put.out + put.err);
  told("the policy was changed with the one person's signature");
}

async function executed(call: (name: string, args: Record<string, unknown>) => Promise<Called>, requestId: string) {
  for (;;) {
    const request = outputOf(await call("system_approval_get_request", { requestId }));
    if (!["approved", "executing"].includes(request.state)) {
      assert.equal(request.state, "executed", `${request.state} (${request.errorCode})`);
      return request;
    }
    await pause(50);
  }
}

function moduleNamed(name: string) {
  return {
    kind: "Module",
    name,
    spec: { version: "1.0.0", source: "https://modules.example/smoke", digest: DIGEST },
  };
}

function outputOf(called: Called): Answer {
  assert.ok(!called.isError, called.content[0]?.text);
  return called.structuredContent;
}

function metaOf(called: Called, name: string): Answer {
  return called._meta?.[name];
}

function codeOf(called: Called): string {
  return metaOf(called, "countersign/error")?.code ?? "OK";
}

function told(what: string): void {
  console.log(`  ${what}`);
}
