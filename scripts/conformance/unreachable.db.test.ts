import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { TestHubs } from "../../server/test-hub.ts";
import { DEFAULT_DOOR_SETTINGS } from "../../server/transport/door-settings.ts";
import { FakeDoor } from "../../server/transport/fake-door.ts";
import { openHttpDoor } from "../../server/transport/http-server.ts";
import { refusal } from "../lint/zones.ts";
import { withFixtures } from "./fixtures/fixture-catalogue.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

async function connect(url: string, token: string, mode: "auto" | "legacy"): Promise<Client> {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  return client;
}

/** A door with the fixtures. */
async function fixtureDoor() {
  const hub = Object.assign(new FakeDoor(), { catalogue: withFixtures });
  const door = await openHttpDoor(hub, { ...DEFAULT_DOOR_SETTINGS, drainMs: 2000 });
  return { url: `${door.url}/mcp`, token: hub.admit("suite"), [Symbol.asyncDispose]: () => door.drain() };
}

/** The names of the fixtures, as a door shows them that has them. */
async function fixtureNames(): Promise<string[]> {
  await using door = await fixtureDoor();
  const client = await connect(door.url, door.token, "auto");
  const { tools } = await client.listTools();
  await client.close();
  return tools.map(({ name }) => name).filter((name) => !name.startsWith("system_"));
}

for (const mode of ["auto", "legacy"] as const) {
  describe(mode === "auto" ? "revision 2026-07-28" : "a 2025 revision", () => {
    test("a hub that is started as ever knows no fixture", async () => {
      const names = await fixtureNames();
      assert.ok(names.includes("test_simple_text") && names.includes("slow_compute"));
      await using hubs = await TestHubs.open();
      const hub = await hubs.start();
      const client = await connect(hub.url, hubs.ada.token(), mode);
      const { tools } = await client.listTools();
      assert.deepEqual(
        tools.map(({ name }) => name).filter((name) => !name.startsWith("system_")),
        [],
      );
      for (const name of names)
        await assert.rejects(client.callTool({ name, arguments: {} }), { code: -32602 }, `${name} is known`);
      const capabilities = client.getServerCapabilities() ?? {};
      assert.equal(capabilities.extensions?.["io.modelcontextprotocol/skills"], undefined);
      await assert.rejects(client.request({ method: "resources/read", params: { uri: "test://static-text" } }));
      await assert.rejects(client.request({ method: "prompts/get", params: { name: "test_simple_prompt" } }));
      await client.close();
    });

    test("in the test-only profile they are answered, and the hub's own tools as ever", async () => {
      await using door = await fixtureDoor();
      const client = await connect(door.url, door.token, mode);
      const { content } = await client.callTool({ name: "test_simple_text", arguments: {} });
      assert.deepEqual(content, [{ type: "text", text: "This is a simple text response for testing." }]);
      const { contents } = await client.readResource({ uri: "test://static-text" });
      assert.equal(contents.length, 1);
      const own = await client.callTool({ name: "system_test_echo", arguments: { text: "hello" } });
      assert.deepEqual(own.structuredContent, { echoed: "hello" });
      await assert.rejects(client.callTool({ name: "system_test_nothing", arguments: {} }), { code: -32602 });
      await client.close();
    });
  });
}

test("no file of the product may import the fixtures, or the profile that has them", () => {
  const fixtures = ["fixtures/fixture-catalogue.ts", "fixtures/tasks.ts", "hub.fixture.ts"];
  const product = ["server/main.ts", "server/transport/mcp/hub-catalogue.ts", "cli/main.ts", "scripts/conformance.ts"];
  for (const file of product)
    for (const fixture of fixtures)
      assert.ok(refusal(file, { path: `scripts/conformance/${fixture}` }, false), `${file} imports ${fixture}`);
  assert.equal(
    refusal("scripts/conformance/hub.fixture.ts", { path: "scripts/conformance/fixtures/tasks.ts" }, false),
    undefined,
  );
});

test("no file of the product names them", () => {
  const files = globSync("{server,cli,tools,contracts,bin,prisma}/**/*.{ts,js}", {
    cwd: root,
    exclude: ["**/*.test.ts", "prisma/client/**"],
  });
  assert.ok(files.length > 100);
  const naming = files.filter((file) =>
    /["`/]conformance\/(fixtures|hub)/.test(readFileSync(`${root}/${file}`, "utf8")),
  );
  assert.deepEqual(naming, []);
});
