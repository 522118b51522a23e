import assert from "node:assert/strict";
import { test } from "node:test";
import { testAccountCredential } from "./try-credential.ts";

for (const [what, tried, said] of [
  ["no server asked", null, "forge opens."],
  ["one that accepts", { accepted: true, code: null }, "forge opens; git.example.com accepts it: x"],
  [
    "one that refuses",
    { accepted: false, code: "GIT_AUTH_REQUIRED" },
    "forge opens; git.example.com does not accept it: x",
  ],
  ["one that forbids", { accepted: false, code: "FORBIDDEN" }, "forge opens; git.example.com does not accept it: x"],
  [
    "one not reached",
    { accepted: false, code: "GIT_UNREACHABLE" },
    "forge opens; it could not be tried on git.example.com: x",
  ],
] as const)
  test(`a trial in words: ${what}`, () => {
    const result = tried && { host: "git.example.com", words: "x", ...tried };
    assert.equal(testAccountCredential.summary({ name: "forge", version: 1, tried: result }), said);
  });
