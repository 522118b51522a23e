import assert from "node:assert/strict";
import { test } from "node:test";
import { digest } from "./canonical-json.ts";
import { commit, opens, SALT_LENGTH } from "./commitment.ts";

const bytes = Buffer.from('{"amount":100}');

test("a commitment opens with its own salt and bytes alone", () => {
  const { digest: published, salt } = commit(bytes);
  assert.equal(salt.length, SALT_LENGTH);
  assert.ok(opens(published, salt, bytes));
  assert.ok(!opens(published, salt, Buffer.from('{"amount":101}')));
  assert.ok(!opens(published, commit(bytes).salt, bytes));
  assert.ok(!opens(published.toUpperCase(), salt, bytes));
});

test("it is SHA-256 of salt and bytes, and says nothing about equal inputs", () => {
  const salt = Buffer.alloc(SALT_LENGTH, 7);
  assert.equal(commit(bytes, salt).digest, digest(Buffer.concat([salt, bytes])));
  assert.notEqual(commit(bytes).digest, commit(bytes).digest);
});

test("the border between salt and bytes cannot be moved", () => {
  const { digest: published, salt } = commit(bytes);
  const both = Buffer.concat([salt, bytes]);
  assert.ok(!opens(published, both.subarray(0, 31), both.subarray(31)));
  assert.ok(!opens(published, both.subarray(0, 33), both.subarray(33)));
  assert.ok(opens(published, both.subarray(0, 32), both.subarray(32)));
  assert.throws(() => commit(bytes, Buffer.alloc(16)), { code: "INTERNAL" });
});
