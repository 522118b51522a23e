import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeHub, objectNamed, paged } from "./fake-hub.ts";
import { hubPrompts } from "./prompt-shelf.ts";

const CALL = "01890000-0000-7000-8000-000000000001";
const RECEIPT = `${CALL}.outcome`;
const REQUEST = "01890000-0000-7000-8000-000000000002";

function hubWithRows(): FakeHub {
  const hub = new FakeHub();
  const open = Array.from({ length: 7 }, (_, index) => requestNumbered(index));
  hub.answers.set("system_approval_list_requests", paged(open));
  hub.answers.set("system_approval_get_request", ({ requestId }) => ({
    ...requestNumbered(0),
    id: requestId,
    changes: [],
    decisions: [],
  }));
  hub.answers.set("system_journal_get_receipt", ({ id }) => ({
    receipt: { id, action: "system_fleet_put_object", phase: "outcome", code: "FORBIDDEN", at: "now" },
    statement: JSON.stringify({ predicate: { approvalRequestId: REQUEST } }),
    lane: { sequence: 1, origin: "o" },
  }));
  hub.answers.set("system_journal_list_receipts", paged([]));
  hub.answers.set("system_fleet_list_objects", paged([objectNamed("edge-base")]));
  hub.answers.set("system_gitops_get_repository", ({ repository }) => ({
    repository: {
      name: repository,
      path: "fleet.yaml",
      branch: "main",
      url: "u",
      head: null,
      objects: 1,
      openProposals: [],
    },
  }));
  hub.answers.set("system_gitops_get_drift_report", ({ repository }) => ({
    repository,
    inSync: true,
    counts: { objects: 1, inSync: 1, pending: 0, drifted: 0 },
    objects: [],
  }));
  return hub;
}

function requestNumbered(index: number) {
  return {
    id: `01890000-0000-7000-8000-00000000010${index}`,
    state: "open",
    action: "system_fleet_put_object",
    requester: { id: "a", kind: "agent", name: "builder" },
    headline: `create Module/m-${index}`,
    needs: "one other person",
    createdAt: "2026-11-20T12:00:00.000Z",
    approvalExpiresAt: "2026-11-20T13:00:00.000Z",
  };
}

async function texts(hub: FakeHub, name: string, args: Record<string, string> = {}): Promise<string[]> {
  const answer = await hubPrompts(hub).get(name, args, hub.call());
  assert.equal(answer.kind, "result");
  const { messages } = (answer as { result: { messages: { role: string; content: Content }[] } }).result;
  assert.ok(messages.every(({ role }) => role === "user"));
  return messages.map(({ content }) => content.text ?? `${content.resource?.uri}\n${content.resource?.text}`);
}

interface Content {
  readonly text?: string;
  readonly resource?: { readonly uri: string; readonly text: string };
}

describe("prompts", () => {
  test("are listed with their arguments, to whom has something to ask", async () => {
    const hub = hubWithRows();
    const { caller } = hub.call();
    const named = async () =>
      (await hubPrompts(hub).list(caller)).map(({ name, arguments: args }) => [name, args?.map((arg) => arg.name)]);
    const all = [
      ["explain_denial", ["what"]],
      ["investigate_receipt", ["id"]],
      ["prepare_gitops_change", ["repository", "what"]],
      ["review_pending_approvals", []],
    ];
    assert.deepEqual(await named(), all);
    hub.hidden.add("system_journal_get_receipt");
    assert.deepEqual(
      await named(),
      all.filter(([name]) => name !== "investigate_receipt"),
    );
    await assert.rejects(texts(hub, "investigate_receipt", { id: RECEIPT }), { code: "NOT_FOUND" });
  });

  test("take their own arguments, all of them, no longer than they may be", async () => {
    const hub = hubWithRows();
    const right = { repository: "edge", what: "one replica more" };
    assert.ok((await texts(hub, "prepare_gitops_change", right)).length > 0);
    const wrong: [string, Record<string, string>, string][] = [
      ["prepare_gitops_change", { repository: "edge" }, "arguments.what"],
      ["prepare_gitops_change", { ...right, what: "  " }, "arguments.what"],
      ["prepare_gitops_change", { ...right, what: "x".repeat(2_001) }, "arguments.what"],
      ["prepare_gitops_change", { ...right, branch: "main" }, "arguments.branch"],
      ["review_pending_approvals", { id: REQUEST }, "arguments.id"],
      ["investigate_receipt", { id: "nothing" }, "arguments.id"],
      ["explain_denial", { what: "SOMETHING" }, "arguments.what"],
      ["explain_denial", { what: "constructor" }, "arguments.what"],
      ["explain_denial", { what: "OK", __proto__x: "" }, "arguments.__proto__x"],
    ];
    for (const [name, args, path] of wrong)
      await assert.rejects(texts(hub, name, args), { code: "INPUT_INVALID", path });
    await assert.rejects(texts(hub, "toString"), { code: "NOT_FOUND" });
  });
});

describe("what a prompt says", () => {
  test("review_pending_approvals: the list, and the first five whole", async () => {
    const hub = hubWithRows();
    const [first = "", ...whole] = await texts(hub, "review_pending_approvals");
    assert.match(first, /create Module\/m-6/);
    assert.match(first, /npx countersign approve/);
    assert.equal(whole.length, 5);
    assert.match(whole[0] ?? "", /^countersign:\/\/approvals\/01890000/);
    hub.answers.set("system_approval_list_requests", paged([]));
    assert.match((await texts(hub, "review_pending_approvals")).join(), /No request is open/);
  });

  test("explain_denial: a receipt with its code in words, or a code with the caller's own last calls", async () => {
    const hub = hubWithRows();
    const [first = "", receipt = ""] = await texts(hub, "explain_denial", { what: ` ${RECEIPT} ` });
    assert.match(first, /FORBIDDEN: The policies do not permit/);
    assert.match(receipt, new RegExp(`^countersign://receipts/${RECEIPT}`));
    const [byCode = ""] = await texts(hub, "explain_denial", { what: "IN_USE" });
    assert.match(byCode, /IN_USE: /);
    const { id } = hub.call().caller.principal;
    assert.deepEqual(hub.inputsOf("system_journal_list_receipts"), [{ code: "IN_USE", principalId: id, limit: 5 }]);
  });

  test("investigate_receipt: the proof, its call's receipts, and the request that it names, where the caller may see it", async () => {
    const hub = hubWithRows();
    const all = await texts(hub, "investigate_receipt", { id: RECEIPT });
    assert.equal(all.length, 3);
    assert.match(all[2] ?? "", new RegExp(`^countersign://approvals/${REQUEST}`));
    assert.deepEqual(hub.inputsOf("system_journal_list_receipts"), [{ callId: CALL }]);
    hub.hidden.add("system_approval_get_request");
    assert.equal((await texts(hub, "investigate_receipt", { id: RECEIPT })).length, 2);
  });

  test("prepare_gitops_change: what is wanted, and what is declared and live now", async () => {
    const hub = hubWithRows();
    const [first = "", ...more] = await texts(hub, "prepare_gitops_change", {
      repository: "edge",
      what: "more replicas",
    });
    assert.match(first, /more replicas/);
    assert.match(more.join(), /countersign:\/\/gitops\/repositories\/edge/);
    assert.match(more.join(), /edge-base/);
    hub.answers.delete("system_gitops_get_repository");
    const unknown = texts(hub, "prepare_gitops_change", { repository: "other", what: "x" });
    await assert.rejects(unknown, { code: "NOT_FOUND" });
  });
});
