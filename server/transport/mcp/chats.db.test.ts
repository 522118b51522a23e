/** What a chat reads, completes and is told of, through whole hubs: in its caller's name, recorded, and nothing of others. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { AGENT, OPERATOR } from "../../../cli/context.ts";
import {
  ask,
  eventually,
  loosen,
  moduleNamed,
  policyOf,
  type TestHub,
  TestHubs,
  type TestPerson,
} from "../../test-hub.ts";

const PUT = "system_fleet_put_object";
const OBJECT = "countersign://fleet/Module/seen";

let hubs: TestHubs;
let [a, b] = [] as unknown as [TestHub, TestHub];
/** A person of another account, with an agent. */
let eve: TestPerson;

before(async () => {
  hubs = await TestHubs.open();
  [a, b] = [await hubs.start(), await hubs.start()];
  eve = await hubs.addAccount("Eve");
  await loosen(hubs.ada, a, PUT);
  await hubs.ada.agent(a).done(PUT, { object: moduleNamed("seen") });
});
after(() => hubs[Symbol.asyncDispose]());

interface Chat extends AsyncDisposable {
  readonly client: Client;
  /** Uris and names of lists, as they were told. */
  readonly told: string[];
  /** Resolves when this has been told. */
  hears(what: string): Promise<void>;
}

async function chat(hub: TestHub, person: TestPerson, name = AGENT): Promise<Chat> {
  const client = new Client({ name: "chat", version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  const told: string[] = [];
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const tell = (what: string) => {
    told.push(what);
    waiting.get(what)?.resolve();
  };
  client.setNotificationHandler("notifications/tools/list_changed", () => tell("tools"));
  client.setNotificationHandler("notifications/resources/list_changed", () => tell("resources"));
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => tell(params.uri));
  const requestInit = { headers: { authorization: `Bearer ${person.token(name)}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(hub.url), { requestInit }));
  return {
    client,
    told,
    async hears(what) {
      if (told.includes(what)) return;
      const { promise } = waiting.get(what) ?? waiting.set(what, Promise.withResolvers()).get(what) ?? assert.fail();
      await promise;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

const textsOf = (contents: readonly object[]) => contents.map((content) => String((content as { text?: string }).text));

describe("reading", () => {
  it("is the read action: its answer and its receipt, which can be read in turn", async () => {
    await using ada = await chat(a, hubs.ada);
    const { contents, _meta } = await ada.client.readResource({ uri: OBJECT });
    const [summary = "", whole = ""] = textsOf(contents);
    assert.match(summary, /Module\/seen, version 1/);
    const { output } = await hubs.ada.agent(a).done("system_fleet_get_object", { kind: "Module", name: "seen" });
    assert.deepEqual(JSON.parse(whole), output);
    const { id } = (_meta ?? {})["countersign/receipt"] as { id: string };
    const receipt = await eventually("receipt of the reading", async () =>
      ada.client.readResource({ uri: `countersign://receipts/${id}` }).catch(() => undefined),
    );
    assert.match(textsOf(receipt.contents)[0] ?? "", /system_fleet_get_object outcome OK/);
  });

  it("finds what is another account's as little as what is nowhere", async () => {
    const requestId = await ask(hubs.ada.agent(a), "system_fleet_delete_object", {
      kind: "Module",
      name: "seen",
      expectedVersion: 1,
    });
    await using ada = await chat(b, hubs.ada);
    await using stranger = await chat(b, eve);
    const nowhere = "countersign://approvals/01890000-0000-7000-8000-000000000001";
    for (const uri of [`countersign://approvals/${requestId}`, OBJECT]) {
      assert.ok((await ada.client.readResource({ uri })).contents.length > 0);
      const told = await refusalOf(stranger.client.readResource({ uri }));
      const toldOfNothing = await refusalOf(stranger.client.readResource({ uri: nowhere }));
      assert.equal(told.code, -32602);
      assert.equal(told.code, toldOfNothing.code);
    }
    const { resources } = await stranger.client.listResources();
    assert.deepEqual(
      resources.map(({ uri }) => uri).filter((uri) => !uri.startsWith("countersign://runbooks/")),
      ["countersign://reference", "countersign://reference/errors"],
    );
    const own = (await ada.client.listResources()).resources.map(({ uri }) => uri);
    assert.ok(own.includes(OBJECT) && own.includes(`countersign://approvals/${requestId}`));
    const ref = { type: "ref/resource" as const, uri: "countersign://fleet/{kind}/{name}" };
    const complete = async ({ client }: Chat) =>
      (await client.complete({ ref, argument: { name: "name", value: "se" } })).completion.values;
    assert.deepEqual([await complete(ada), await complete(stranger)], [["seen"], []]);
    await hubs.ada.agent(a).done("system_approval_cancel_request", { requestId });
  });

  it("by a prompt tells what is true now", async () => {
    await using ada = await chat(a, hubs.ada);
    const requestId = await ask(hubs.ada.agent(b), "system_fleet_delete_object", {
      kind: "Module",
      name: "seen",
      expectedVersion: 1,
    });
    const { messages } = await ada.client.getPrompt({ name: "review_pending_approvals" });
    assert.match(JSON.stringify(messages), new RegExp(requestId));
    await hubs.ada.agent(a).done("system_approval_cancel_request", { requestId });
    const after = await ada.client.getPrompt({ name: "review_pending_approvals" });
    assert.doesNotMatch(JSON.stringify(after.messages), new RegExp(requestId));
  });
});

describe("what is new", () => {
  it("is told of whichever process it comes from, and to nobody of another account", async () => {
    await using ada = await chat(a, hubs.ada);
    await using stranger = await chat(a, eve);
    const filter = { resourcesListChanged: true, toolsListChanged: true, resourceSubscriptions: [OBJECT] };
    for (const { client } of [ada, stranger])
      assert.ok((await client.listen(filter)).honoredFilter.resourcesListChanged);
    const requestId = await ask(hubs.ada.agent(b), "system_fleet_delete_object", {
      kind: "Module",
      name: "seen",
      expectedVersion: 1,
    });
    await ada.hears("resources");
    await hubs.ada.agent(b).done("system_approval_cancel_request", { requestId });
    const { version } = (await hubs.ada.agent(b).done("system_fleet_get_object", { kind: "Module", name: "seen" }))
      .output["object"] as { version: number };
    const object = { ...moduleNamed("seen"), labels: { changed: "yes" } };
    await hubs.ada.agent(b).done(PUT, { object, expectedVersion: version });
    await ada.hears(OBJECT);
    // what is told to Eve afterwards would come after what was hers not to hear
    await loosen(eve, b, PUT);
    await eve.agent(b).done(PUT, { object: moduleNamed("hers") });
    await stranger.hears("resources");
    assert.deepEqual(new Set(stranger.told), new Set(["resources"]));
  });

  it("of a policy is told to whom it shows other tools", async () => {
    await using agent = await chat(a, hubs.ada);
    await using operator = await chat(b, hubs.ada, OPERATOR);
    for (const { client } of [agent, operator])
      await client.listen({ toolsListChanged: true, resourcesListChanged: true });
    const before = (await agent.client.listTools()).tools.map(({ name }) => name);
    const { output } = await hubs.ada.operator(a).done("system_policy_get");
    const cedar = `@id("test/no-agent-deletes")
@why("Agents delete nothing here.")
forbid (principal is Agent, action == Action::"system_fleet_delete_object", resource);`;
    const document = { ...policyOf(PUT, "auto"), authorization: { cedar } };
    await hubs.ada.run(b, "system_policy_put", { document, baseVersion: output["version"] });
    await agent.hears("tools");
    const after = (await agent.client.listTools()).tools.map(({ name }) => name);
    assert.deepEqual(
      before.filter((name) => !after.includes(name)),
      ["system_fleet_delete_object"],
    );
    await hubs.ada.agent(a).done(PUT, { object: moduleNamed("another") });
    await operator.hears("resources");
    assert.ok(!operator.told.includes("tools"), "an operator is shown what they were");
  });

  it("is not told under a token that was revoked: its streams end, in whichever process they are", async () => {
    await using operator = await chat(a, hubs.ada, OPERATOR);
    await using agent = await chat(a, hubs.ada);
    await using elsewhere = await chat(b, hubs.ada);
    await operator.client.listen({ resourcesListChanged: true });
    const streams = [];
    for (const { client } of [agent, elsewhere]) streams.push(await client.listen({ resourcesListChanged: true }));
    const { token } = (await hubs.ada.agent(a).done("system_identity_whoami")).output as { token: { id: string } };
    await hubs.ada.run(b, "system_identity_revoke_token", { tokenId: token.id });
    for (const { closed } of streams) assert.equal(await closed, "graceful");
    const told = [...agent.told]; // of what went before, until then
    await assert.rejects(agent.client.listen({ resourcesListChanged: true }));
    const requestId = await ask(hubs.ada.operator(b), "system_fleet_delete_object", {
      kind: "Module",
      name: "another",
      expectedVersion: 1,
    });
    await operator.hears("resources");
    await hubs.ada.operator(b).done("system_approval_cancel_request", { requestId });
    await eventually("the second change", async () => (operator.told.length >= 2 ? true : undefined));
    assert.deepEqual(agent.told, told);
  });
});

async function refusalOf(refused: Promise<unknown>): Promise<{ code: number; message: string }> {
  return refused.then(
    () => assert.fail("it was not refused"),
    (error: { code: number; message: string }) => error,
  );
}
