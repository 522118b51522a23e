import assert from "node:assert/strict";
import { test } from "node:test";
import { findHasTest, indexOfByte, positionAt, splitPolicies, TEXT_LIMITS, tooLarge } from "./policy-text.ts";

const sizes = (text: string) => splitPolicies(text).map(({ depth, words }) => [depth, words]);

test("a policy ends at a semicolon that is no part of a string or a comment", () => {
  const text = `// a; b
  @why("x; \\" ; y") permit(principal, action, resource); // c;
  forbid (principal, action, resource) when { true // ) } ;
  };`;
  const policies = splitPolicies(text);
  assert.equal(policies.length, 2);
  assert.ok(policies[0]?.text.startsWith("@why(") && policies[0].text.endsWith("resource);"));
  assert.ok(policies[1]?.text.startsWith("forbid (") && policies[1].text.endsWith("};"));
  for (const { text: own, start } of policies) assert.equal(text.slice(start, start + own.length), own);
});

test("what follows the last semicolon counts, unless it is blank or a comment", () => {
  assert.equal(splitPolicies("permit(principal, action, resource); permit").length, 2);
  assert.equal(splitPolicies("permit(principal, action, resource); \n// the end").length, 1);
  assert.equal(splitPolicies(" // nothing\n").length, 0);
});

test("brackets in comments and strings neither add to the depth nor hide it", () => {
  assert.deepEqual(sizes("a((b));"), [[2, 7]]);
  assert.deepEqual(sizes("a(//)\n(//)\n(//)\n b )));"), [[3, 9]]);
  assert.deepEqual(sizes('a("((((" + b);'), [[1, 7]]);
  assert.deepEqual(sizes('a(")" + (")" + (b)));'), [[3, 13]]);
  assert.deepEqual(sizes("a(// comment ends here\r((b)));"), [[3, 9]]); // Cedar ends a comment at a carriage return
  assert.deepEqual(sizes("if a then b else if c then d else e;"), [[2, 12]]);
});

test("the limits hold for each policy and for the whole", () => {
  const check = (text: string) => tooLarge(text, splitPolicies(text));
  const nested = (depth: number) => `${"(".repeat(depth)}a${")".repeat(depth)};`;
  const long = (words: number) => `${"a ".repeat(words - 1)};`;
  assert.equal(check(nested(TEXT_LIMITS.depth)), undefined);
  assert.deepEqual(check(`a; ${nested(TEXT_LIMITS.depth + 1)}`), { message: "nested deeper than 40 levels", start: 3 });
  assert.equal(check(long(TEXT_LIMITS.words).repeat(3)), undefined);
  assert.deepEqual(check(long(TEXT_LIMITS.words + 1)), { message: "one policy has more than 1000 words", start: 0 });
  // the words of other policies, or words that look like policies, do not make room
  assert.ok(check(`a;a;a;${long(TEXT_LIMITS.words + 1)}`));
  const comment = (bytes: number) => `//${"é".repeat((bytes - 2) / 2)}`;
  assert.equal(check(comment(TEXT_LIMITS.bytes)), undefined);
  assert.ok(check(`${comment(TEXT_LIMITS.bytes)}e`)); // bytes, not characters
});

test("positions are lines and characters; Cedar's offsets are bytes", () => {
  const text = "ä\n𝒳𝒳 here";
  const byte = Buffer.from(text).indexOf("here");
  assert.equal(byte, 12);
  assert.equal(text.slice(indexOfByte(text, byte)), "here");
  assert.deepEqual(positionAt(text, indexOfByte(text, byte)), { line: 2, column: 4 });
  assert.deepEqual(positionAt(text, 0), { line: 1, column: 1 });
});

test("finds the has that asks for a name", () => {
  const policy = 'when { context has input && context.input has "odd name" && context has input.note.deep };';
  const at = (attributes: string[]) => policy.slice(findHasTest(policy, attributes)).slice(0, 14);
  assert.equal(at(["input"]), "has input && c");
  assert.equal(at(["input", "odd name"]), 'has "odd name"');
  assert.equal(at(["input", "note"]), "has input.note");
  assert.equal(at(["input", "note", "deep"]), "has input.note");
  assert.equal(findHasTest(policy, ["missing"]), 0);
});
