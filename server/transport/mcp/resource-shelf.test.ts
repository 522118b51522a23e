import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Resource } from "@modelcontextprotocol/server";
import type { ResourceShelf } from "./catalogue.ts";
import { FakeHub, objectNamed, paged } from "./fake-hub.ts";
import { hubResources } from "./resource-shelf.ts";

const ID = "01890000-0000-7000-8000-000000000001";
const RUNBOOKS = "countersign://runbooks/";
const caller = (hub: FakeHub) => hub.call().caller;

function hubWith(objects: number): { hub: FakeHub; shelf: ResourceShelf } {
  const hub = new FakeHub();
  const rows = Array.from({ length: objects }, (_, index) => objectNamed(`m-${index}`));
  hub.answers.set("system_fleet_list_objects", paged(rows));
  hub.answers.set("system_fleet_get_object", ({ name }) => ({ object: objectNamed(String(name)) }));
  for (const list of [
    "system_approval_list_requests",
    "system_gitops_list_proposals",
    "system_gitops_list_repositories",
    "system_gitops_list_sync_runs",
  ])
    hub.answers.set(list, paged([]));
  return { hub, shelf: hubResources(hub) };
}

/** Without the runbooks, which are files of the program. */
async function everything(shelf: ResourceShelf, hub: FakeHub): Promise<Resource[]> {
  const items: Resource[] = [];
  let cursor: string | undefined;
  do {
    const page = await shelf.list(hub.call(), cursor);
    items.push(...page.items.filter(({ uri }) => !uri.startsWith(RUNBOOKS)));
    cursor = page.next;
  } while (cursor !== undefined);
  return items;
}

describe("the list of resources", () => {
  test("begins with the reference, has each object once, and is the same each time", async () => {
    const { hub, shelf } = hubWith(250);
    const listed = (await everything(shelf, hub)).map(({ uri }) => uri);
    assert.deepEqual(listed.slice(0, 3), [
      "countersign://reference",
      "countersign://reference/errors",
      "countersign://fleet/Module/m-0",
    ]);
    assert.equal(listed.length, 252);
    assert.equal(new Set(listed).size, 252);
    assert.deepEqual(
      (await everything(shelf, hub)).map(({ uri }) => uri),
      listed,
    );
  });

  test("ends, however many objects there are", async () => {
    const { hub, shelf } = hubWith(5_000);
    assert.equal((await everything(shelf, hub)).length, 502);
  });

  test("leaves out what the caller is not shown, or is forbidden after all", async () => {
    const { hub, shelf } = hubWith(1);
    hub.hidden.add("system_fleet_list_objects");
    assert.equal((await everything(shelf, hub)).length, 2);
    assert.deepEqual(hub.inputsOf("system_fleet_list_objects"), []);
    hub.hidden.clear();
    assert.equal((await everything(shelf, hub)).length, 3);
  });

  test("takes its own cursors alone", async () => {
    const { hub, shelf } = hubWith(250);
    const { next = "" } = await shelf.list(hub.call());
    assert.equal((await shelf.list(hub.call(), next)).items.length, 100);
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    for (const cursor of ["", "x", forged([5, "100"]), forged([0, "0"]), forged([1, 2]), forged([1, "x".repeat(513)])])
      await assert.rejects(shelf.list(hub.call(), cursor), { code: "CURSOR_INVALID" }, cursor);
  });
});

describe("templates", () => {
  test("are those whose action the caller is shown, the reference and the runbooks", async () => {
    const { hub, shelf } = hubWith(0);
    const all = (await shelf.templates(caller(hub))).map(({ uriTemplate }) => uriTemplate);
    assert.equal(all.length, 9);
    hub.hidden.add("system_journal_get_receipt");
    const fewer = (await shelf.templates(caller(hub))).map(({ uriTemplate }) => uriTemplate);
    assert.deepEqual(
      fewer,
      all.filter((uri) => uri !== "countersign://receipts/{id}"),
    );
  });
});

describe("reading", () => {
  test("is a call of the action behind the address: its text, its output, its receipt", async () => {
    const { hub, shelf } = hubWith(1);
    const uri = "countersign://fleet/Module/m-0";
    const answer = await shelf.read(uri, hub.call());
    assert.equal(answer.kind, "result");
    const { contents, _meta } = (
      answer as { result: { contents: { uri: string; text: string; mimeType: string }[]; _meta: object } }
    ).result;
    assert.deepEqual(
      contents.map((content) => [content.uri, content.mimeType]),
      [
        [uri, "text/markdown"],
        [uri, "application/json"],
      ],
    );
    assert.match(contents[0]?.text ?? "", /^# Fleet object\n\nModule\/m-0, version 1/);
    assert.equal(JSON.parse(contents[1]?.text ?? "").object.name, "m-0");
    assert.match(JSON.stringify(_meta), /countersign\/receipt/);
    assert.deepEqual(
      hub.runs.map(({ action, input, channel, canConfirm, caller: { principal } }) => [
        action,
        input,
        channel,
        canConfirm,
        principal.name,
      ]),
      [["system_fleet_get_object", { kind: "Module", name: "m-0" }, "mcp", false, "alice"]],
    );
  });

  test("of nothing, of a wrong id and of an address of others is not found", async () => {
    const { hub, shelf } = hubWith(1);
    for (const uri of [
      "countersign://fleet/Engine/m-0",
      "countersign://approvals/none",
      `countersign://approvals/${ID}`,
      "countersign://nothing/there",
      "countersign://reference/system_nothing",
      "file:///etc/passwd",
      "",
    ])
      await assert.rejects(shelf.read(uri, hub.call()), { code: "NOT_FOUND" }, uri);
  });

  test("of what is forbidden is refused as the tool is", async () => {
    const { hub, shelf } = hubWith(1);
    hub.hidden.add("system_fleet_get_object");
    await assert.rejects(shelf.read("countersign://fleet/Module/m-0", hub.call()), { code: "FORBIDDEN" });
    hub.hidden.clear();
    assert.equal((await shelf.read("countersign://fleet/Module/m-0", hub.call())).kind, "result");
  });

  test("of the reference tells of the tools that the caller is shown, and is no call", async () => {
    const { hub, shelf } = hubWith(0);
    const page = async (name: string) => JSON.stringify(await shelf.read(`countersign://reference${name}`, hub.call()));
    assert.match(await page(""), /system_fleet_put_object/);
    assert.match(await page("/system_fleet_put_object"), /Permission: system.fleet.write/);
    assert.match(await page("/errors"), /FORBIDDEN/);
    hub.hidden.add("system_fleet_put_object");
    assert.doesNotMatch(await page(""), /system_fleet_put_object/);
    await assert.rejects(page("/system_fleet_put_object"), { code: "NOT_FOUND" });
    await assert.rejects(page("/system_journal_get_receipt/"), { code: "NOT_FOUND" });
    // offered at other doors alone
    await assert.rejects(page("/system_identity_claim_secret"), { code: "NOT_FOUND" });
    assert.deepEqual(hub.runs, []);
  });

  test("of a runbook gives its text and the command that runs it, and is no call", async () => {
    const { hub, shelf } = hubWith(0);
    const listed = (await shelf.list(hub.call())).items.filter(({ uri }) => uri.startsWith(RUNBOOKS));
    assert.deepEqual(
      listed.map(({ uri }) => uri.slice(RUNBOOKS.length)),
      ["key-compromise", "key-custody", "vault-credential-restoration"],
    );
    const calls = hub.runs.length;
    for (const { uri, name, description = "" } of listed) {
      assert.notEqual(description, "");
      const page = JSON.stringify(await shelf.read(uri, hub.call()));
      assert.match(page, new RegExp(`countersign runbook run ${name.replace("runbooks/", "")}`));
      assert.match(page, /```tool/);
    }
    for (const other of ["", "nothing", "key-custody/", "../README", "key-custody.md", "Key-custody"])
      await assert.rejects(shelf.read(`${RUNBOOKS}${other}`, hub.call()), { code: "NOT_FOUND" }, other);
    assert.equal(hub.runs.length, calls);
  });
});
