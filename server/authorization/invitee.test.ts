import assert from "node:assert/strict";
import { test } from "node:test";
import { v7 } from "uuid";
import {
  formatSecret,
  generateSecret,
  INVITATION_PREFIX,
  secretDigest,
  TOKEN_PREFIX,
} from "../../contracts/identity/bearer-secret.ts";
import type { Identification, Identifier } from "../action/identifier.ts";
import { HubError } from "../errors.ts";
import { withInvitees } from "./invitee.ts";

const id = v7();
const secret = generateSecret();
const invited = { accountId: v7(), hubPrincipalId: v7(), sha256: secretDigest(secret) };
const asked: unknown[][] = [];
const plain: Identifier = {
  async byToken(text) {
    asked.push(["token", text]);
    return { refusal: new HubError("UNAUTHENTICATED", "no") };
  },
  async byPrincipal(accountId, principalId) {
    asked.push(["principal", accountId, principalId]);
    return {} as Identification;
  },
};
const identifier = withInvitees(plain, { invitation: async (of) => (of === id ? invited : undefined) });

async function askedFor(text: string | undefined): Promise<unknown[]> {
  asked.length = 0;
  await identifier.byToken(text);
  assert.equal(asked.length, 1);
  return asked[0] as unknown[];
}

test("who holds an invitation's code acts as the account's hub service", async () => {
  const code = formatSecret(INVITATION_PREFIX, { id, secret });
  assert.deepEqual(await askedFor(code), ["principal", invited.accountId, invited.hubPrincipalId]);
});

test("an invitation's id without its secret is nobody", async () => {
  for (const code of [
    formatSecret(INVITATION_PREFIX, { id, secret: generateSecret() }),
    formatSecret(INVITATION_PREFIX, { id: v7(), secret }),
  ]) {
    assert.deepEqual(await askedFor(code), ["token", undefined]);
  }
});

test("tokens go the way of tokens, with the invitation's secret too", async () => {
  for (const text of [undefined, "", formatSecret(TOKEN_PREFIX, { id, secret }), `csi_${id}`]) {
    assert.deepEqual(await askedFor(text), ["token", text]);
  }
});
