/**
 * What a chat sees beside tools, from outside: resources with templates and completion, prompts with what is true now, links
 * in results, and what is new told without being asked for. Both official SDKs, over stdio and over HTTP.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { codeOf, metaOf } from "./outside/called.ts";
import { type Called, clients, type OutsideClient } from "./outside/clients.ts";
import { Ear } from "./outside/ear.ts";
import { OutsideHub } from "./outside/hub.ts";

const NOBODY = "01890000-0000-7000-8000-000000000001";

await using hub = new OutsideHub();
await hub.start();

let number = 0;
let policyVersion = 1;
for (const [name, connect] of Object.entries(clients)) {
  const client = await connect(hub);
  const news = await Ear.of(client);
  const requestId = await askForAChange(client, news, `chat-${++number}`);
  await readAround(client as ChatClient, requestId);
  await prompted(client as ChatClient, requestId);
  await approvedIsTold(news, requestId);
  await policyIsTold(client, news);
  await news.end();
  await client.close();
  told(`${name}: listed, read, completed, prompted, and was told`);
}

assert.equal(await hub.stop(), 0);
told("the hub ended cleanly");

/** What both SDKs have. */
interface ChatClient extends OutsideClient {
  listResources(): Promise<{ resources: { uri: string; title?: string | undefined }[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>;
  readResource(params: {
    uri: string;
  }): Promise<{ contents: { uri: string; mimeType?: string | undefined; text?: string }[] }>;
  complete(params: {
    ref: { type: "ref/resource"; uri: string } | { type: "ref/prompt"; name: string };
    argument: { name: string; value: string };
    context?: { arguments: Record<string, string> };
  }): Promise<{ completion: { values: string[] } }>;
  listPrompts(): Promise<{ prompts: { name: string }[] }>;
  getPrompt(params: { name: string; arguments?: Record<string, string> }): Promise<{ messages: object[] }>;
}

/** The change waits for a person; the result leads to the request, and the list of resources has grown. */
async function askForAChange(client: OutsideClient, news: Ear, module: string): Promise<string> {
  const spec = { version: "1.0.0", source: "https://modules.example/smoke", digest: `sha256:${"5".repeat(64)}` };
  const asked = await client.callTool({
    name: "system_fleet_put_object",
    arguments: { object: { kind: "Module", name: module, spec } },
  });
  assert.equal(codeOf(asked), "APPROVAL_PENDING");
  const { requestId } = metaOf(asked, "countersign/approval") as { requestId: string };
  assert.deepEqual(linksIn(asked), [approval(requestId)]);
  await news.hears("resources");
  return requestId;
}

async function readAround(client: ChatClient, requestId: string): Promise<void> {
  const { resourceTemplates } = await client.listResourceTemplates();
  const templates = resourceTemplates.map(({ uriTemplate }) => uriTemplate);
  for (const path of [
    "approvals/{id}",
    "fleet/{kind}/{name}",
    "gitops/sync-runs/{id}",
    "operations/{id}",
    "receipts/{id}",
    "runbooks/{name}",
  ])
    assert.ok(templates.includes(`countersign://${path}`), path);
  const { resources } = await client.listResources();
  const listed = resources.map(({ uri }) => uri);
  assert.ok(listed.includes(approval(requestId)) && listed.includes("countersign://reference"));
  assert.equal(new Set(listed).size, listed.length);

  const { contents } = await client.readResource({ uri: approval(requestId) });
  assert.deepEqual(
    contents.map(({ mimeType }) => mimeType),
    ["text/markdown", "application/json"],
  );
  assert.match(contents[0]?.text ?? "", /create Module\/chat-/);
  assert.equal(JSON.parse(contents[1]?.text ?? "").id, requestId);
  const operation = await client.readResource({ uri: `countersign://operations/${requestId}` });
  assert.equal(JSON.parse(operation.contents[1]?.text ?? "").operation.state, "working");
  const page = await client.readResource({ uri: "countersign://reference/system_fleet_put_object" });
  assert.match(page.contents[0]?.text ?? "", /Permission: system.fleet.write/);
  const runbook = await client.readResource({ uri: "countersign://runbooks/key-custody" });
  assert.match(runbook.contents[0]?.text ?? "", /countersign runbook run key-custody/);
  for (const uri of [
    approval(NOBODY),
    "countersign://approvals/x",
    "countersign://nothing/there",
    "file:///etc/passwd",
  ])
    await assert.rejects(client.readResource({ uri }), { code: -32602 }, uri);

  const complete = async (path: string, name: string, value: string) => {
    const ref = { type: "ref/resource" as const, uri: `countersign://${path}` };
    return (await client.complete({ ref, argument: { name, value } })).completion.values;
  };
  assert.deepEqual(await complete("approvals/{id}", "id", requestId.slice(0, -1)), [requestId]);
  assert.deepEqual(await complete("fleet/{kind}/{name}", "kind", "Mod"), ["Module"]);
  assert.deepEqual(await complete("runbooks/{name}", "name", "key-cu"), ["key-custody"]);
  assert.deepEqual(
    await complete("fleet/{kind}/{name}", "name", `chat-${number - 1}`),
    number > 1 ? [`chat-${number - 1}`] : [],
  );
}

async function prompted(client: ChatClient, requestId: string): Promise<void> {
  const { prompts } = await client.listPrompts();
  assert.deepEqual(
    prompts.map(({ name }) => name),
    ["explain_denial", "investigate_receipt", "prepare_gitops_change", "review_pending_approvals"],
  );
  const say = async (name: string, args: Record<string, string> = {}) =>
    JSON.stringify((await client.getPrompt({ name, arguments: args })).messages);
  assert.match(await say("review_pending_approvals"), new RegExp(requestId));
  const refused = await client.callTool({
    name: "system_approval_decide_request",
    arguments: { requestId, decision: "approve" },
  });
  assert.equal(codeOf(refused), "FORBIDDEN");
  const { id } = metaOf(refused, "countersign/receipt") as { id: string };
  assert.deepEqual(linksIn(refused), [`countersign://receipts/${id}`]);
  assert.match(await recorded(() => say("explain_denial", { what: id })), /base\/agents-never-decide/);
  assert.match(await say("investigate_receipt", { id }), /system_approval_decide_request/);
  await assert.rejects(say("investigate_receipt", { id, more: "x" }), { code: -32602 });
  await assert.rejects(say("investigate_receipt"), { code: -32602 });
  const ref = { type: "ref/prompt" as const, name: "explain_denial" };
  const { completion } = await client.complete({ ref, argument: { name: "what", value: "FORB" } });
  assert.deepEqual(completion.values, ["FORBIDDEN"]);
}

/** A receipt of a refusal is written within a second. */
async function recorded<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await read();
    } catch (error) {
      if (tries === 100) throw error;
      await pause(50);
    }
  }
}

async function approvedIsTold(news: Ear, requestId: string): Promise<void> {
  await news.follow(approval(requestId));
  const approved = await hub.run("approve", requestId, "--yes");
  assert.equal(approved.code, 0, approved.err);
  await news.hears(approval(requestId));
}

/** A policy that keeps agents from deleting takes the tool from the agent's list; the next one gives it back. */
async function policyIsTold(client: OutsideClient, news: Ear): Promise<void> {
  const has = async () => (await client.listTools()).tools.some(({ name }) => name === "system_fleet_delete_object");
  assert.equal(await has(), true);
  await putPolicy(`@id("smoke/no-deletes") @why("Agents delete nothing here.")
    forbid (principal is Agent, action == Action::"system_fleet_delete_object", resource);`);
  await news.hears("tools");
  assert.equal(await has(), false);
  news.forget();
  await putPolicy("");
  await news.hears("tools");
  assert.equal(await has(), true);
}

async function putPolicy(cedar: string): Promise<void> {
  const file = join(hub.home, "policy.json");
  const document = {
    apiVersion: "countersign/v1",
    kind: "Policy",
    authorization: { cedar },
    intervention: { rules: [] },
  };
  writeFileSync(file, JSON.stringify(document));
  const put = await hub.run("policy", "put", file, "--base", String(policyVersion++), "--yes");
  assert.equal(put.code, 0, put.out + put.err);
}

function approval(requestId: string): string {
  return `countersign://approvals/${requestId}`;
}

function linksIn({ content }: Called): string[] {
  return content.flatMap((block) =>
    block.type === "resource_link" ? [(block as unknown as { uri: string }).uri] : [],
  );
}

function told(what: string): void {
  console.log(`  ${what}`);
}
