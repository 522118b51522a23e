import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Client, type ClientOptions, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { TestDoor } from "../test-door.ts";

const ME = { name: "test", version: "1" };

interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>;
  // oxlint-disable-next-line typescript/no-explicit-any -- two SDKs, two types of result
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<any>;
  close(): Promise<void>;
}

type Answer = { action: "accept" | "decline"; content?: { confirm: boolean } };
type Connect = (door: TestDoor, answer?: () => Answer) => Promise<AnyClient>;

const init = (door: TestDoor) => ({ requestInit: { headers: { authorization: `Bearer ${door.token}` } } });

function v2(options: ClientOptions): Connect {
  return async (door, answer) => {
    const client = new Client(ME, { ...options, capabilities: answer ? { elicitation: { form: {} } } : {} });
    if (answer) client.setRequestHandler("elicitation/create", async () => answer());
    await client.connect(new StreamableHTTPClientTransport(new URL(door.mcpUrl), init(door)));
    return client;
  };
}

const v1: Connect = async (door, answer) => {
  const client = new OldClient(ME, { capabilities: answer ? { elicitation: {} } : {} });
  if (answer) client.setRequestHandler(ElicitRequestSchema, async () => answer());
  await client.connect(new OldTransport(new URL(door.mcpUrl), init(door)));
  return client;
};

const clients: Record<string, Connect> = {
  "SDK v2, revision 2026-07-28": v2({ versionNegotiation: { mode: { pin: "2026-07-28" } } }),
  "SDK v2, negotiating": v2({ versionNegotiation: { mode: "auto" } }),
  "SDK v2, a 2025 revision": v2({ versionNegotiation: { mode: "legacy" } }),
  "SDK v1": v1,
};

for (const [name, connect] of Object.entries(clients)) {
  // clients of old may show their model nothing but texts
  const old = /v1|2025/.test(name);
  describe(name, () => {
    test("lists, calls, and takes every kind of answer, also once it knows the output schemas", async () => {
      await using door = await TestDoor.open();
      const client = await connect(door);
      const call = (verb: string, text = "x") => client.callTool({ name: `system_test_${verb}`, arguments: { text } });
      const { tools } = await client.listTools();
      assert.ok(tools.some((tool) => tool.name === "system_test_echo"));
      const done = await call("echo", "hello");
      assert.deepEqual(done.structuredContent, { echoed: "hello" });
      assert.ok(done._meta["countersign/receipt"].id);
      const texts = done.content.map((block: { text: string }) => block.text);
      assert.deepEqual(texts, ["Echoed hello", ...(old ? ['{"echoed":"hello"}'] : [])]);
      const refused = await call("refuse");
      assert.equal(refused.isError, true);
      assert.equal(refused._meta["countersign/error"].code, "FORBIDDEN");
      const pending = await call("approve");
      assert.equal(pending.isError, true);
      assert.equal(pending._meta["countersign/error"].code, "APPROVAL_PENDING");
      const unasked = await call("wipe");
      assert.equal(unasked._meta["countersign/error"].code, "APPROVAL_PENDING");
      await assert.rejects(call("nothing"), /no such action/);
      await client.close();
    });

    test("is asked to confirm, and its user's answer counts", async () => {
      await using door = await TestDoor.open();
      const answers: Answer[] = [
        { action: "accept", content: { confirm: true } },
        { action: "accept", content: { confirm: false } },
        { action: "decline" },
      ];
      const client = await connect(door, () => answers.shift() ?? assert.fail());
      await client.listTools();
      const wipe = () => client.callTool({ name: "system_test_wipe", arguments: { text: "v1" } });
      assert.equal((await wipe()).structuredContent?.echoed, "v1");
      assert.equal((await wipe())._meta["countersign/error"].code, "CONFIRMATION_DECLINED");
      assert.equal((await wipe())._meta["countersign/error"].code, "CONFIRMATION_DECLINED");
      assert.equal(door.hub.spent.size, 1);
      await client.close();
    });

    test("cannot connect with a token that does not count", async () => {
      await using door = await TestDoor.open();
      door.hub.principals.clear();
      await assert.rejects(connect(door));
    });
  });
}

test("who was banned while the user thought is not let through", async () => {
  await using door = await TestDoor.open();
  let answered = false;
  const client = await v1(door, () => {
    answered = true;
    return { action: "accept", content: { confirm: true } };
  });
  const identify = door.hub.identify.bind(door.hub);
  door.hub.identify = async (token) => {
    const caller = await identify(token);
    // just after the request that brought the answer was let in
    if (answered) door.hub.banned.add(caller.principal.id);
    return caller;
  };
  const { _meta } = await client.callTool({ name: "system_test_wipe", arguments: { text: "v1" } });
  assert.equal(_meta["countersign/error"].code, "PRINCIPAL_BANNED");
  assert.equal(door.hub.spent.size, 0);
  await client.close();
});
