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
import type { Identification } from "../action/identifier.ts";
import type { FoundToken, IdentityLookup } from "../domain/identity/identity-lookup.ts";
import { HubError } from "../errors.ts";
import { createIdentifier } from "./identifier.ts";

const id = v7();
const secret = generateSecret();
const token = formatSecret(TOKEN_PREFIX, { id, secret });
const accountId = v7();
const principal = { id: v7(), kind: "agent", name: "bot", roles: ["agent"], ownerPersonId: v7() } as const;
const good: FoundToken = {
  account: { id: accountId, name: "Laboratory", profile: "solo", isHub: false },
  principal,
  policy: { version: 3, hash: "abc" },
  ...{ banned: false, expired: false, revoked: false, useIsStale: false },
  sha256: secretDigest(secret),
};

/** An identifier over one token, with what it looked up and noted. */
function identifierOver(found: Partial<FoundToken> = {}) {
  const looked: string[] = [];
  const noted: string[] = [];
  const lookup: IdentityLookup = {
    async token(tokenId) {
      looked.push(tokenId);
      return tokenId === id ? { ...good, ...found } : undefined;
    },
    async principal(ofAccount, ofPrincipal) {
      return ofAccount === accountId && ofPrincipal === principal.id ? { ...good, ...found } : undefined;
    },
    invitation: async () => undefined,
    touchTokens: async () => {},
  };
  const use = {
    note: (tokenId: string) => void noted.push(tokenId),
    flush: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  return { identifier: createIdentifier(lookup, use), looked, noted };
}

function refusalOf(identification: Identification): { code: string; message: string; known?: unknown } {
  assert.ok("refusal" in identification);
  const { refusal, known } = identification;
  return { code: refusal.code, message: refusal.message, ...(known && { known }) };
}

test("a token that counts names its principal, in one look-up a call", async () => {
  const { identifier, looked } = identifierOver();
  const { account, policy } = good;
  assert.deepEqual(await identifier.byToken(token), { caller: { account, principal, policy, tokenId: id } });
  await identifier.byToken(token);
  assert.deepEqual(looked, [id, id], "nothing is kept between calls");
});

test("missing, malformed, unknown and wrong tokens get one answer, and no account", async () => {
  const { identifier, looked } = identifierOver({ banned: true, expired: true, revoked: true });
  const bad: Record<string, string | undefined> = {
    missing: undefined,
    empty: "",
    truncated: token.slice(0, -1),
    "an invitation code": formatSecret(INVITATION_PREFIX, { id, secret }),
    "not ASCII": token.replace("cs_", "ｃs_"),
    unknown: formatSecret(TOKEN_PREFIX, { id: v7(), secret }),
    "wrong secret": formatSecret(TOKEN_PREFIX, { id, secret: generateSecret() }),
    "secret of zeros": formatSecret(TOKEN_PREFIX, { id, secret: Buffer.alloc(32) }),
  };
  const answers = new Set<string>();
  for (const text of Object.values(bad)) answers.add(JSON.stringify(refusalOf(await identifier.byToken(text))));
  assert.equal(answers.size, 1);
  assert.match([...answers][0] as string, /^\{"code":"UNAUTHENTICATED"/);
  assert.equal(looked.length, 3, "what has not the shape of a token asks the database nothing");
});

test("only who holds the secret learns why it opens nothing", async () => {
  const known = { accountId, principal };
  for (const [found, code] of [
    [{ expired: true }, "TOKEN_EXPIRED"],
    [{ revoked: true }, "TOKEN_REVOKED"],
    [{ revoked: true, expired: true }, "TOKEN_REVOKED"],
    [{ banned: true }, "PRINCIPAL_BANNED"],
    [{ banned: true, revoked: true, expired: true }, "PRINCIPAL_BANNED"],
  ] as const) {
    const { identifier, noted } = identifierOver({ ...found, useIsStale: true });
    const { message: _, ...refusal } = refusalOf(await identifier.byToken(token));
    assert.deepEqual(refusal, { code, known });
    assert.deepEqual(noted, [], "a refused token is not in use");
  }
});

test("use is noted where the one on record is old", async () => {
  for (const useIsStale of [true, false]) {
    const { identifier, noted } = identifierOver({ useIsStale });
    await identifier.byToken(token);
    assert.deepEqual(noted, useIsStale ? [id] : []);
  }
});

test("a job acts for a principal without a token, unless it is banned or unknown", async () => {
  const { account, policy } = good;
  const { identifier } = identifierOver();
  assert.deepEqual(await identifier.byPrincipal(accountId, principal.id), { caller: { account, principal, policy } });
  for (const [ofAccount, ofPrincipal] of [
    [v7(), principal.id],
    [accountId, v7()],
  ] as const) {
    const { code, known } = refusalOf(await identifier.byPrincipal(ofAccount, ofPrincipal));
    assert.deepEqual([code, known], ["NOT_FOUND", undefined]);
  }
  const banned = refusalOf(await identifierOver({ banned: true }).identifier.byPrincipal(accountId, principal.id));
  assert.deepEqual([banned.code, banned.known], ["PRINCIPAL_BANNED", { accountId, principal }]);
});

test("a database that does not answer is told as such", async () => {
  const lookup = {
    token: () => Promise.reject(new HubError("STORE_UNAVAILABLE", "gone")),
  } as unknown as IdentityLookup;
  const use = { note: () => {}, flush: async () => {}, [Symbol.asyncDispose]: async () => {} };
  await assert.rejects(createIdentifier(lookup, use).byToken(token), { code: "STORE_UNAVAILABLE" });
});
