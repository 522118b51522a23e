import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeHub } from "./fake-hub.ts";
import { addressed, linkTo, pathOf, resourceKinds, variablesOf } from "./hub-resources.ts";

const ID = "01890000-0000-7000-8000-000000000001";

test("an address names an action and its input", () => {
  const named = {
    [`approvals/${ID}`]: ["system_approval_get_request", { requestId: ID }],
    "fleet/Template/web-1": ["system_fleet_get_object", { kind: "Template", name: "web-1" }],
    [`gitops/proposals/${ID}`]: ["system_gitops_get_proposal", { proposalId: ID }],
    "gitops/repositories/edge": ["system_gitops_get_repository", { repository: "edge" }],
    [`gitops/sync-runs/${ID}`]: ["system_gitops_get_sync_run", { runId: ID }],
    [`operations/${ID}`]: ["system_operations_get", { operationId: ID }],
    [`receipts/${ID}.outcome`]: ["system_journal_get_receipt", { id: `${ID}.outcome` }],
  };
  for (const [path, expected] of Object.entries(named)) {
    const found = addressed(path);
    assert.deepEqual([found?.kind.action, found?.input], expected, path);
    assert.equal(found?.uri, `countersign://${path}`);
    assert.equal(linkTo(path)?.uri, found?.uri);
  }
});

test("what is spelt in another way, or is something else, names nothing", () => {
  const others = [
    "",
    "/",
    "approvals",
    "approvals/",
    `approvals/${ID}/`,
    `/approvals/${ID}`,
    `approvals//${ID}`,
    `Approvals/${ID}`,
    `approvals/${ID}?x=1`,
    `approvals/${ID}#x`,
    `approvals/%61${ID.slice(1)}`,
    "fleet/Template",
    "fleet/Template/a/b",
    "fleet/Template/ web",
    "fleet/Template/wéb",
    "fleet/Template/web\n",
    `fleet/Template/${"a".repeat(101)}`,
    "gitops/repositories",
    "identity/principal/x",
    "__proto__/x",
  ];
  for (const path of others) {
    assert.equal(addressed(path), undefined, JSON.stringify(path));
    assert.equal(linkTo(path), undefined);
  }
  assert.equal(pathOf("https://hub.example/approvals/x"), undefined);
  assert.equal(pathOf("countersign:/approvals/x"), undefined);
  assert.equal(pathOf("countersign://approvals/x"), "approvals/x");
});

test("every kind stands for a read of the hub, and its input takes what stands in the address", () => {
  const hub = new FakeHub();
  const kinds = resourceKinds(hub);
  assert.equal(kinds.length, 7);
  for (const kind of kinds) {
    const shape = hub.action(kind.action)?.action.input.shape ?? {};
    const names = Object.keys(kind.input(Object.fromEntries(variablesOf(kind).map((name) => [name, "x"]))));
    for (const name of names) assert.ok(Object.hasOwn(shape, name), `${kind.action} takes ${name}`);
  }
});
