import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "../action/caller.ts";
import type { FoundToken } from "../domain/identity/identity-lookup.ts";
import { currentCaller } from "./current-caller.ts";

const caller: Caller = {
  account: { id: "account", name: "Laboratory", profile: "solo", isHub: false },
  principal: { id: "principal", kind: "agent", name: "bot", roles: ["agent"] },
  policy: { version: 3, hash: "abc" },
  tokenId: "token",
};
const now = {
  ...caller,
  principal: { ...caller.principal, roles: ["reader"] },
  policy: { version: 4, hash: "def" },
};

function lookupOf(found: Partial<FoundToken> | undefined) {
  const state = { banned: false, expired: false, revoked: false, useIsStale: false, sha256: Buffer.of() };
  const row = found && { account: now.account, principal: now.principal, policy: now.policy, ...state, ...found };
  return {
    token: async (id: string) => (id === "token" ? row : undefined),
    principal: async (account: string, id: string) => (`${account}/${id}` === "account/principal" ? row : undefined),
  };
}

test("a caller has the roles and the policy of the moment", async () => {
  assert.deepEqual(await currentCaller(lookupOf({}), caller), now);
  const { tokenId: _, ...byJob } = caller;
  const { tokenId: __, ...expected } = now;
  assert.deepEqual(await currentCaller(lookupOf({}), byJob), expected);
});

for (const [why, found] of Object.entries({
  "a ban": { banned: true },
  "a token that was revoked": { revoked: true },
  "a token that has expired": { expired: true },
  "a token that is gone": undefined,
}))
  test(`nobody is left after ${why}`, async () => {
    assert.equal(await currentCaller(lookupOf(found), caller), undefined);
  });

test("a ban counts without a token too", async () => {
  const { tokenId: _, ...byJob } = caller;
  assert.equal(await currentCaller(lookupOf({ banned: true }), byJob), undefined);
});
