import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hubCompletion } from "./completion.ts";
import { FakeHub, objectNamed, paged } from "./fake-hub.ts";

const template = (path: string) => ({ type: "ref/resource" as const, uri: `countersign://${path}` });
const prompt = (name: string) => ({ type: "ref/prompt" as const, name });

async function complete(hub: FakeHub, ref: Ref, name: string, value: string, known?: Record<string, string>) {
  const request = { ref, argument: { name, value }, ...(known && { context: { arguments: known } }) };
  return (await hubCompletion(hub).complete(request, hub.call())).values;
}
type Ref = ReturnType<typeof template> | ReturnType<typeof prompt>;

function hubWithRows(objects: readonly string[] = ["web-a", "web-b", "db"]): FakeHub {
  const hub = new FakeHub();
  hub.answers.set("system_fleet_list_objects", paged(objects.map((name) => objectNamed(name))));
  hub.answers.set(
    "system_approval_list_requests",
    paged(["0189a", "0189b"].map((id) => ({ id, requester: { name: "builder" } }))),
  );
  hub.answers.set(
    "system_gitops_list_repositories",
    paged(["edge", "core"].map((name) => ({ name, openProposals: [] }))),
  );
  hub.answers.set(
    "system_journal_list_receipts",
    paged([
      { id: "0190.outcome", phase: "outcome", code: "OK" },
      { id: "0191.outcome", phase: "outcome", code: "FORBIDDEN" },
      { id: "0191.intent", phase: "intent", code: "PENDING" },
    ]),
  );
  return hub;
}

describe("completion", () => {
  test("knows kinds, names of one kind, ids, repositories, tools and codes, by what was typed", async () => {
    const hub = hubWithRows();
    const fleet = template("fleet/{kind}/{name}");
    assert.deepEqual(await complete(hub, fleet, "kind", "t"), ["Template"]);
    assert.deepEqual(await complete(hub, fleet, "name", "web", { kind: "Module" }), ["web-a", "web-b"]);
    assert.deepEqual(await complete(hub, fleet, "name", "", { kind: "Engine" }), ["web-a", "web-b", "db"]);
    assert.deepEqual(hub.inputsOf("system_fleet_list_objects"), [{ limit: 200, kind: "Module" }, { limit: 200 }]);
    assert.deepEqual(await complete(hub, template("approvals/{id}"), "id", "0189B"), ["0189b"]);
    assert.deepEqual(hub.inputsOf("system_approval_list_requests"), [{ limit: 200, state: "open" }]);
    assert.deepEqual(await complete(hub, template("gitops/repositories/{name}"), "name", ""), ["edge", "core"]);
    assert.deepEqual(await complete(hub, template("reference/{page}"), "page", "system_journal_v"), [
      "system_journal_verify",
    ]);
    assert.deepEqual(await complete(hub, template("runbooks/{name}"), "name", "key-cu"), ["key-custody"]);
    assert.deepEqual(await complete(hub, prompt("prepare_gitops_change"), "repository", "e"), ["edge"]);
    assert.deepEqual(await complete(hub, prompt("prepare_gitops_change"), "what", "e"), []);
    assert.deepEqual(await complete(hub, prompt("investigate_receipt"), "id", "0190"), ["0190.outcome"]);
    assert.deepEqual(await complete(hub, prompt("explain_denial"), "what", "019"), ["0191.outcome"]);
    assert.ok((await complete(hub, prompt("explain_denial"), "what", "approval_")).includes("APPROVAL_DENIED"));
  });

  test("tells nothing to whom the list is forbidden", async () => {
    const hub = hubWithRows();
    hub.hidden.add("system_fleet_list_objects");
    assert.deepEqual(await complete(hub, template("fleet/{kind}/{name}"), "name", ""), []);
    hub.hidden.clear();
    assert.equal((await complete(hub, template("fleet/{kind}/{name}"), "name", "")).length, 3);
  });

  test("looks through a few pages of a long list, and no further", async () => {
    const names = Array.from({ length: 3_000 }, (_, index) => `n-${index}`);
    const hub = hubWithRows([...names.slice(0, 700), "wanted", ...names.slice(700), "beyond"]);
    const fleet = template("fleet/{kind}/{name}");
    assert.deepEqual(await complete(hub, fleet, "name", "wanted"), ["wanted"]);
    assert.deepEqual(await complete(hub, fleet, "name", "beyond"), []);
    assert.equal(hub.runs.length, 10);
    assert.ok((await complete(hub, fleet, "name", "n-")).length >= 100);
    assert.equal(hub.runs.length, 11);
  });

  test("of what is not there is refused", async () => {
    const hub = hubWithRows();
    await assert.rejects(complete(hub, template("fleet/{kind}"), "kind", ""), { code: "NOT_FOUND" });
    await assert.rejects(complete(hub, prompt("toString"), "id", ""), { code: "NOT_FOUND" });
    await assert.rejects(complete(hub, template("approvals/{id}"), "name", ""), { code: "INPUT_INVALID" });
    await assert.rejects(complete(hub, template("reference/{page}"), "id", ""), { code: "INPUT_INVALID" });
    await assert.rejects(complete(hub, template("runbooks/{name}"), "id", ""), { code: "INPUT_INVALID" });
    await assert.rejects(complete(hub, prompt("explain_denial"), "toString", ""), { code: "INPUT_INVALID" });
  });
});
