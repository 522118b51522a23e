import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FollowedEvent } from "../../domain/events/event-feed.ts";
import type { Change } from "./catalogue.ts";
import { FakeHub } from "./fake-hub.ts";
import { hubChanges } from "./hub-changes.ts";

const ID = "01890000-0000-7000-8000-000000000001";
const REQUEST = `countersign://approvals/${ID}`;

const event = (type: string, subject: string, data: Record<string, unknown> = {}): FollowedEvent => ({
  type,
  subject,
  data,
});
const requested = event("approval.requested", `approvals/${ID}`);
const policy = event("policy.changed", "policy");
/** Told to everybody who may list requests: what comes before it was told by then. */
const marker = event("approval.cancelled", "approvals/marker");

/** Follows as Alice, interested in these. */
async function follow(hub: FakeHub, ...uris: readonly string[]) {
  const told: string[] = [];
  let next = Promise.withResolvers<void>();
  const tell = (change: Change) => {
    told.push(change.kind === "resource" ? change.uri : change.kind);
    next.resolve();
  };
  const lost = Promise.withResolvers<void>();
  const unfollow = await hubChanges(hub).follow(hub.call().caller, {
    tell,
    interest: (uri) => uris.includes(uri),
    lost: lost.resolve,
  });
  return {
    told,
    unfollow,
    lost: lost.promise,
    /** What was told of these events, which end with something that is told. */
    async of(...events: readonly FollowedEvent[]): Promise<string[]> {
      told.length = 0;
      next = Promise.withResolvers();
      hub.emit(...events);
      await next.promise;
      return [...told];
    },
  };
}

describe("changes", () => {
  test("are of what a caller asked for, and of the lists that they see", async () => {
    const hub = new FakeHub();
    const stream = await follow(hub, REQUEST, `countersign://gitops/sync-runs/${ID}`);
    assert.deepEqual(await stream.of(requested), ["resources", REQUEST]);
    assert.deepEqual(await stream.of(event("approval.decided", `approvals/${ID}`)), [REQUEST]);
    const synced = event("gitops.sync_completed", "gitops/repositories/edge", { runId: ID, proposals: [] });
    assert.deepEqual(await stream.of(synced), ["resources", `countersign://gitops/sync-runs/${ID}`]);
    const failed = event("operations.failed", `operations/${ID}`, { kind: "gitops.sync" });
    assert.deepEqual(await stream.of(failed), ["resources", `countersign://gitops/sync-runs/${ID}`]);
    const another = event("approval.decided", "approvals/another");
    const updated = event("fleet.object_updated", "fleet/Module/a");
    assert.deepEqual(await stream.of(another, updated, marker), ["resources"]);
  });

  test("of resources are told to whom could read them at that moment", async () => {
    const hub = new FakeHub();
    const secret = "countersign://fleet/ProviderConfig/edge";
    const stream = await follow(hub, secret, REQUEST);
    const updated = event("fleet.object_updated", "fleet/ProviderConfig/edge");
    const input = { kind: "ProviderConfig", name: "edge" };
    hub.unreadable.add(`system_fleet_get_object ${JSON.stringify(input)}`);
    assert.deepEqual(await stream.of(updated, requested), ["resources", REQUEST]);
    hub.unreadable.clear();
    assert.deepEqual(await stream.of(updated), [secret]);
  });

  test("of lists are told to whom sees the list", async () => {
    const hub = new FakeHub();
    hub.hidden.add("system_fleet_list_objects");
    const stream = await follow(hub, REQUEST);
    const created = event("fleet.object_created", "fleet/Module/a");
    assert.deepEqual(await stream.of(created, event("approval.decided", `approvals/${ID}`)), [REQUEST]);
  });

  test("of tools are told where a policy or a role altered what the caller is shown", async () => {
    const hub = new FakeHub();
    const stream = await follow(hub);
    assert.deepEqual(await stream.of(policy, marker), ["resources"], "nothing of theirs was altered");
    hub.hidden.add("system_fleet_put_object");
    assert.deepEqual(await stream.of(policy), ["tools", "prompts", "resources"]);
    assert.deepEqual(await stream.of(policy, marker), ["resources"], "told once");
    hub.hidden.clear();
    const role = event("identity.principal_unbanned", "identity/principal/x");
    assert.deepEqual(await stream.of(role), ["tools", "prompts", "resources"]);
  });

  test("end for whom may not call any more, once, with nothing told of what led to it", async () => {
    const hub = new FakeHub();
    const stream = await follow(hub, REQUEST);
    await stream.of(marker);
    stream.told.length = 0;
    hub.banned.add(hub.call().caller.principal.id);
    hub.emit(requested);
    await stream.lost;
    hub.banned.clear();
    hub.emit(requested, policy);
    stream.unfollow();
    assert.deepEqual(stream.told, []);
    assert.equal(hub.followers, 0);
  });

  test("end by themselves where no event says so: a token expires in silence", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const hub = new FakeHub();
    const stream = await follow(hub);
    await stream.of(marker);
    hub.banned.add(hub.call().caller.principal.id);
    t.mock.timers.tick(60_000);
    await stream.lost;
    stream.unfollow();
  });

  test("are told a moment later where the database did not answer, and not after the end", async () => {
    const hub = new FakeHub();
    const stream = await follow(hub, REQUEST);
    await stream.of(marker);
    hub.failures = 1;
    assert.deepEqual(await stream.of(requested), ["resources", REQUEST]);
    stream.unfollow();
    assert.equal(hub.followers, 0);
  });
});
