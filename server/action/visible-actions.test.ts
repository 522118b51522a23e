import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "./caller.ts";
import { caller, fakeGate } from "./fake-gate.ts";
import { VisibleActions } from "./visible-actions.ts";

/** Shows what `shows` says for a permission set, and counts how often that was worked out. */
function opened() {
  const { gate } = fakeGate();
  const shows = new Map<string, string[]>();
  let times = 0;
  const setOf = ({ account, principal, policy }: Caller) =>
    `${account.id} ${principal.id} ${principal.roles.join()} ${policy.hash}`;
  const authorizer = {
    ...gate.authorizer,
    permissionSet: async (asker: Caller) => setOf(asker),
    visible: async (asker: Caller) => {
      times++;
      return new Set(shows.get(setOf(asker)) ?? []);
    },
  };
  const visible = new VisibleActions({ authorizer, registry: gate.registry });
  const names = async (asker: Caller, channel: "mcp" | "job" = "mcp") =>
    (await visible.of(asker, channel)).map(({ action }) => action.name);
  return { shows, setOf, visible, names, times: () => times };
}

test("a list is made once a permission set and door", async () => {
  const { shows, setOf, visible, names, times } = opened();
  shows.set(setOf(caller), ["system_test_read"]);
  assert.deepEqual(await names(caller), ["system_test_read"]);
  assert.equal(await visible.of(caller, "mcp"), await visible.of({ ...caller, tokenId: "another" }, "mcp"));
  assert.equal(times(), 1);
  assert.ok(Array.isArray(await names(caller, "job")));
  assert.equal(times(), 2);
});

test("another policy, role, principal or account has a list of its own at once, and nobody gets another's", async () => {
  const { shows, setOf, names } = opened();
  const others: Caller[] = [
    { ...caller, policy: { version: 2, hash: "f".repeat(64) } },
    { ...caller, principal: { ...caller.principal, roles: ["another"] } },
    { ...caller, principal: { ...caller.principal, id: "another" } },
    { ...caller, account: { ...caller.account, id: "another" } },
  ];
  shows.set(setOf(caller), ["system_test_read"]);
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(await names(caller), ["system_test_read"]);
    for (const other of others) assert.deepEqual(await names(other), []);
  }
});

test("a list that could not be made is made at the next call; of many lists the ones used least are forgotten", async () => {
  const { shows, setOf, visible, names, times } = opened();
  shows.set(setOf(caller), ["system_test_read"]);
  const broken = new VisibleActions({
    authorizer: {
      ...fakeGate().gate.authorizer,
      permissionSet: async () => Promise.reject(new TypeError("the policy does not load")),
    },
    registry: fakeGate().gate.registry,
  });
  await assert.rejects(broken.of(caller, "mcp"), TypeError);
  const used = await visible.of(caller, "mcp");
  for (let i = 0; i < 600; i++) {
    await names({ ...caller, account: { ...caller.account, id: `account-${i}` } });
    if (i % 100 === 0) assert.equal(await visible.of(caller, "mcp"), used);
  }
  const before = times();
  await names({ ...caller, account: { ...caller.account, id: "account-0" } });
  assert.equal(times(), before + 1);
});
