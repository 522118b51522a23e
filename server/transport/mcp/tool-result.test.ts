import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubError } from "../../errors.ts";
import { DEFAULT_DOOR_SETTINGS } from "../door-settings.ts";
import { openHttpDoor } from "../http-server.ts";
import { callAction } from "./action-tool.ts";
import { FakeHub, objectNamed, paged } from "./fake-hub.ts";
import { doneResult, errorResult, pendingResult } from "./tool-result.ts";

const CALL = "01890000-0000-7000-8000-000000000001";
const receipt = { id: `${CALL}.outcome`, callId: CALL, salt: "c2FsdA==" };
const done = { status: "done" as const, output: {}, summary: "Done.", receipt };

const links = (content: readonly { type: string }[]) =>
  content.flatMap((block) => (block.type === "resource_link" ? [(block as unknown as { uri: string }).uri] : []));

describe("links in results", () => {
  test("lead to what the result names, each once, and no more than a chat shows", () => {
    const names = ["fleet/Module/a", "fleet/Module/a", "nothing/there", "gitops/repositories/edge"];
    assert.deepEqual(links(doneResult(done, names).content), [
      "countersign://fleet/Module/a",
      "countersign://gitops/repositories/edge",
    ]);
    const many = Array.from({ length: 30 }, (_, index) => `fleet/Module/m-${index}`);
    assert.equal(links(doneResult(done, many).content).length, 10);
    assert.deepEqual(links(doneResult(done).content), []);
  });

  test("lead to the request that a call waits for, and to the receipt of a refusal", () => {
    const approval = {
      requestId: CALL,
      action: "system_fleet_put_object",
      needs: "one other person",
      headline: "create Module/a",
      approvalExpiresAt: new Date("2030-01-01T00:00:00Z"),
      merged: false,
    };
    const pending = pendingResult({ status: "pending", approval, receipt });
    assert.deepEqual(links(pending.content), [`countersign://approvals/${CALL}`]);
    const error = new HubError("FORBIDDEN", "No policy permits this.");
    assert.deepEqual(links(errorResult(error).content), []);
    error.receipt = receipt;
    assert.deepEqual(links(errorResult(error).content), [`countersign://receipts/${CALL}.outcome`]);
  });
});

/** What a session of this revision gets from a call of this tool. */
async function called(hub: FakeHub, token: string, revision: string, name: string): Promise<{ type: string }[]> {
  const http = await openHttpDoor(hub, { ...DEFAULT_DOOR_SETTINGS, drainMs: 2000 });
  try {
    let session: Record<string, string> = {};
    const send = async (body: object) => {
      const response = await fetch(`${http.url}/mcp`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...session,
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...body }),
      });
      const id = response.headers.get("mcp-session-id");
      if (id !== null) session = { "mcp-session-id": id, "mcp-protocol-version": revision };
      const [, data = "{}"] = /^data: (.+)$/m.exec(await response.text()) ?? [];
      return JSON.parse(data).result;
    };
    const clientInfo = { name: "old", version: "1" };
    const { protocolVersion } = await send({
      method: "initialize",
      params: { protocolVersion: revision, capabilities: {}, clientInfo },
    });
    assert.equal(protocolVersion, revision);
    return (await send({ method: "tools/call", params: { name, arguments: {} } })).content;
  } finally {
    await http.drain();
  }
}

test("clients of revisions that know no links get none", async () => {
  const hub = new FakeHub();
  const token = hub.admit("old");
  hub.answers.set("system_fleet_list_objects", paged([objectNamed("a")]));
  const types = async (revision: string) =>
    (await called(hub, token, revision, "system_fleet_list_objects")).map(({ type }) => type);
  assert.deepEqual(await types("2025-03-26"), ["text", "text"]);
  assert.deepEqual(await types("2025-06-18"), ["text", "resource_link", "text"]);
  assert.deepEqual(await types("2025-11-25"), ["text", "resource_link", "text"]);
});

test("of a change the receipt is there to be read; of a read it may not be yet", async () => {
  const hub = new FakeHub();
  hub.answers.set("system_approval_cancel_request", () => ({ requestId: CALL, state: "cancelled" }));
  hub.answers.set("system_fleet_list_objects", paged([objectNamed("a")]));
  const answer = async (name: string, input = {}) => {
    const answered = await callAction(hub, name, input, hub.call());
    assert.equal(answered.kind, "result");
    return links((answered as { result: { content: { type: string }[] } }).result.content);
  };
  assert.deepEqual(await answer("system_approval_cancel_request", { requestId: CALL }), [
    "countersign://receipts/01890000-0000-7000-8000-000000000009.outcome",
  ]);
  assert.deepEqual(await answer("system_fleet_list_objects"), ["countersign://fleet/Module/a"]);
});
