import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { v7 } from "uuid";
import {
  formatSecret,
  generateSecret,
  INVITATION_PREFIX,
  parseSecret,
  secretDigest,
  secretMatches,
  TOKEN_PREFIX,
} from "./bearer-secret.ts";

const ID = "01a0b1c2-d3e4-7f56-8a9b-0c1d2e3f4a5b";
const SECRET = Buffer.alloc(32, 0xfb);
const TOKEN = `cs_01a0b1c2d3e47f568a9b0c1d2e3f4a5b_${SECRET.toString("base64url")}`;

test("a token has one spelling, and it is read back", () => {
  assert.equal(formatSecret(TOKEN_PREFIX, { id: ID, secret: SECRET }), TOKEN);
  assert.deepEqual(parseSecret(TOKEN_PREFIX, TOKEN), { id: ID, secret: SECRET });
});

test("what is not exactly a token is none", () => {
  const lastCharacterWithStrayBits = `${TOKEN.slice(0, -1)}t`;
  const wrong: Record<string, string> = {
    empty: "",
    "prefix alone": "cs_",
    truncated: TOKEN.slice(0, -1),
    "one character more": `${TOKEN}A`,
    "without its secret": TOKEN.slice(0, 36),
    "an invitation code": TOKEN.replace("cs_", "csi_"),
    "another prefix": TOKEN.replace("cs_", "ck_"),
    "upper-case prefix": TOKEN.replace("cs_", "CS_"),
    "upper-case id": TOKEN.replace("d3e4", "D3E4"),
    "id with dashes": TOKEN.replace("01a0b1c2d3e47f568a9b0c1d2e3f4a5b", ID),
    "id that is no hex": TOKEN.replace("01a0", "01g0"),
    "standard base64": TOKEN.replaceAll("-", "+"),
    padded: `${TOKEN.slice(0, -1)}=`,
    "stray bits": lastCharacterWithStrayBits,
    "space before": ` ${TOKEN}`,
    "newline after": `${TOKEN}\n`,
    "NUL inside": `${TOKEN.slice(0, 50)}\0${TOKEN.slice(51)}`,
    "Bearer kept": `Bearer ${TOKEN}`,
    "full-width digits": TOKEN.replace("01", "０１"),
    "a lone surrogate": `${TOKEN.slice(0, -1)}\ud800`,
    huge: TOKEN.repeat(10_000),
  };
  assert.notEqual(lastCharacterWithStrayBits, TOKEN);
  for (const [name, text] of Object.entries(wrong)) assert.equal(parseSecret(TOKEN_PREFIX, text), undefined, name);
});

test("tokens and invitation codes are not taken for each other", () => {
  const code = formatSecret(INVITATION_PREFIX, { id: ID, secret: SECRET });
  assert.equal(parseSecret(TOKEN_PREFIX, code), undefined);
  assert.deepEqual(parseSecret(INVITATION_PREFIX, code), { id: ID, secret: SECRET });
  assert.equal(parseSecret(INVITATION_PREFIX, TOKEN), undefined);
});

test("any id and secret come back as they were; any other text that is read, is written the same", () => {
  const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(fc.uuid(), secrets, (id, bytes) => {
      const secret = Buffer.from(bytes);
      assert.deepEqual(parseSecret(TOKEN_PREFIX, formatSecret(TOKEN_PREFIX, { id, secret })), { id, secret });
    }),
  );
  const mutated = fc.tuple(fc.nat(TOKEN.length - 1), fc.string({ unit: "binary", minLength: 0, maxLength: 2 }));
  fc.assert(
    fc.property(mutated, ([at, put]) => {
      const text = TOKEN.slice(0, at) + put + TOKEN.slice(at + 1);
      const read = parseSecret(TOKEN_PREFIX, text);
      if (read) assert.equal(formatSecret(TOKEN_PREFIX, read), text);
    }),
  );
});

test("only the secret that was kept matches", () => {
  const secret = generateSecret();
  const kept = secretDigest(secret);
  assert.equal(secretMatches(secret, kept), true);
  const flipped = Buffer.from(secret);
  flipped.writeUInt8(flipped.readUInt8(31) ^ 1, 31);
  assert.equal(secretMatches(flipped, kept), false);
  assert.equal(secretMatches(secret, kept.subarray(1)), false);
  assert.equal(secretMatches(secret, Buffer.alloc(0)), false);
});

test("each generated secret is new", () => {
  const seen = new Set(
    Array.from({ length: 100 }, () => formatSecret(TOKEN_PREFIX, { id: v7(), secret: generateSecret() })),
  );
  assert.equal(seen.size, 100);
});
