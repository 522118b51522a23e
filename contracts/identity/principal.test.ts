import assert from "node:assert/strict";
import { test } from "node:test";
import { displayName, identityId, plainText, ROLES, ROLES_OF_KIND, roles } from "./principal.ts";

test("a name is one line of visible text, in one spelling", () => {
  for (const name of ["a", "Grace Hopper", "build-bot", "Ωmega", "李雷", "O'Neil (ops)", "x".repeat(80)]) {
    assert.equal(displayName.parse(name), name);
  }
  const bad: Record<string, string> = {
    empty: "",
    "too long": "x".repeat(81),
    "space before": " a",
    "space after": "a ",
    "a line break": "a\nb",
    NUL: "a\0b",
    escape: "a\u001b[2Kb",
    "right-to-left override": "a\u202eb",
    "zero-width joiner": "a\u200db",
    "line separator": "a\u2028b",
    "byte order mark": "a\ufeff",
    "lone surrogate": "a\ud800",
    "private use": "a\ue000",
    decomposed: "e\u0301",
  };
  for (const [what, name] of Object.entries(bad)) assert.equal(displayName.safeParse(name).success, false, what);
});

test("free text is one line too, in any spelling", () => {
  assert.equal(plainText(5).parse("e\u0301"), "e\u0301");
  for (const text of ["", "123456", "a\u0007"]) assert.equal(plainText(5).safeParse(text).success, false);
});

test("roles are named, and each once", () => {
  assert.deepEqual(roles.parse(["admin", "auditor"]), ["admin", "auditor"]);
  for (const names of [[], ["admin", "admin"], ["hub"], ["root"], ["Admin"], "admin"]) {
    assert.equal(roles.safeParse(names).success, false, String(names));
  }
});

test("deciding and governing need a person", () => {
  for (const kind of ["agent", "service"] as const) {
    for (const role of ["admin", "operator", "approver"] as const) assert.ok(!ROLES_OF_KIND[kind].includes(role));
  }
  const held = new Set(Object.values(ROLES_OF_KIND).flat());
  assert.deepEqual([...held].sort(), Object.keys(ROLES).sort());
});

test("an id has one spelling", () => {
  const id = "01a0b1c2-d3e4-7f56-8a9b-0c1d2e3f4a5b";
  assert.equal(identityId.parse(id), id);
  for (const text of [
    "",
    id.toUpperCase(),
    id.replace("a", "A"),
    id.replaceAll("-", ""),
    `{${id}}`,
    `${id}\n`,
    id.replace("7f56", "4f56"),
  ]) {
    assert.equal(identityId.safeParse(text).success, false, text);
  }
});
