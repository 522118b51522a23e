/**
 * What other people's programs make of the hub: both official SDKs, a proxy built with FastMCP, npm's `mcp-proxy` over
 * the bridge, and messages typed by hand with `curl`, in both eras of the protocol. Each lists, reads, asks for a change
 * that waits for a person, is refused what is wrong, and gets in with neither a wrong token nor a foreign Host.
 */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { OutsideAgent } from "./outside/agent.ts";
import { codeOf } from "./outside/called.ts";
import { type Connect, clients } from "./outside/clients.ts";
import { curlModern, curlOlder } from "./outside/curl.ts";
import { throughFastmcp } from "./outside/fastmcp-proxy.ts";
import { OutsideHub } from "./outside/hub.ts";
import { throughMcpProxy } from "./outside/mcp-proxy.ts";
import { placeOf } from "./outside/place.ts";

const PUT = "system_fleet_put_object";
const GET = "system_fleet_get_object";

const ways: Readonly<Record<string, Connect>> = {
  ...clients,
  "FastMCP, a proxy": throughFastmcp,
  "mcp-proxy, older revisions": throughMcpProxy("legacy", clientNamed("SDK v1 over HTTP")),
  "mcp-proxy, 2026-07-28": throughMcpProxy("modern", clientNamed("SDK v2 over HTTP")),
  "curl, 2025-11-25": curlOlder,
  "curl, 2026-07-28": curlModern,
};

await using hub = new OutsideHub();
await hub.start();
const token = hub.token("agent");
const stranger = placeOf(hub, { token: `${token.slice(0, -6)}${token.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA"}` });
// reaches the same socket, as a page does that had its name point to this machine
const rebound = placeOf(hub, { url: hub.url.replace("127.0.0.1", "0.0.0.0") });

let number = 0;
for (const [name, connect] of Object.entries(ways)) {
  const client = await connect(placeOf(hub));
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  assert.ok(names.includes(PUT));
  assert.ok(!names.includes("system_approval_decide_request"), "an agent is shown a tool that it may never use");
  await work(new OutsideAgent(hub, client), `works-with-${++number}`);
  await client.close();
  await heldShut("UNAUTHENTICATED", () => connect(stranger));
  await heldShut("ORIGIN_REFUSED", () => connect(rebound));
  told(`${name}: listed, read, asked, refused; no wrong token, no foreign Host`);
}

const verified = await hub.run("journal", "verify", "--json");
assert.equal(verified.code, 0, verified.out + verified.err);
assert.equal(await hub.stop(), 0);
told("the journal holds, and the hub ended cleanly");

async function work(agent: OutsideAgent, name: string): Promise<void> {
  const { principal } = await agent.does("system_identity_whoami");
  assert.deepEqual([principal.kind, principal.owner.name], ["agent", "Ada"]);

  const object = {
    kind: "Module",
    name,
    spec: { version: "1.0.0", source: "https://modules.example/smoke", digest: `sha256:${"5".repeat(64)}` },
  };
  const wanted = { kind: object.kind, name };
  assert.equal(await agent.refused(GET, wanted), "NOT_FOUND");
  assert.equal((await agent.asks(PUT, { object })).change, "created");
  assert.equal((await agent.does(GET, wanted)).object.updatedBy, principal.id);

  // some proxies hold input to the tool's schema themselves; this is for the hub to see
  const moved = await agent.call(PUT, { object, expectedVersion: 9 });
  assert.equal(codeOf(moved), "VERSION_CONFLICT", moved.content[0]?.text);
  assert.match(moved.content[0]?.text ?? "", /^VERSION_CONFLICT: /, "a model reads no code");
  assert.equal((await agent.does(GET, wanted)).object.version, 1, "a refused call changed something");
}

/** Nobody gets in, and it was the hub that refused: a client cannot be relied on to pass on why. */
async function heldShut(code: string, connect: () => ReturnType<Connect>): Promise<void> {
  const before = await recorded(code);
  await assert.rejects(async () => (await connect()).listTools());
  while ((await recorded(code)) === before) await pause(50);
}

async function recorded(code: string): Promise<number> {
  const listed = await hub.run("call", "system_journal_list_receipts", JSON.stringify({ code, limit: 100 }), "--json");
  assert.equal(listed.code, 0, listed.err);
  return JSON.parse(listed.out).output.items.length;
}

function clientNamed(name: string): Connect {
  return clients[name] ?? assert.fail(`there is no client ${name}`);
}

function told(what: string): void {
  console.log(`  ${what}`);
}
