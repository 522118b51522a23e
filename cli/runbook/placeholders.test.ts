import assert from "node:assert/strict";
import { test } from "node:test";
import { filled, LATER, laterIn, placeholdersIn } from "./placeholders.ts";

const values = new Map<string, unknown>([
  ["name", "nginx"],
  ["count", 3],
  ["list", [1, 2]],
  ["later", LATER],
]);

test("a text that is one placeholder becomes the value, of whatever type", () => {
  assert.equal(filled("{{count}}", values), 3);
  assert.equal(filled("{{ count }}", values), 3);
  assert.deepEqual(filled({ a: ["{{list}}", "{{name}}"] }, values), { a: [[1, 2], "nginx"] });
});

test("within a text a value is written out", () => {
  assert.equal(filled("{{name}}-{{count}}", values), "nginx-3");
  assert.equal(filled(" {{count}}", values), " 3");
  assert.equal(filled("{{list}}!", values), "[1,2]!");
});

test("what is put in is not read again", () => {
  assert.equal(
    filled(
      "{{a}}{{b}}",
      new Map([
        ["a", "{{b}}"],
        ["b", "$&"],
      ]),
    ),
    "{{b}}$&",
  );
});

test("what is known later makes what holds it known later", () => {
  const done = filled({ a: "{{later}}", b: ["x", "no {{later}} yet"], c: "{{name}}" }, values);
  assert.deepEqual(laterIn(done), [["a"], ["b", 1]]);
  assert.deepEqual(laterIn(filled({ c: "{{name}}" }, values)), []);
});

test("placeholders are found with their places, those that are not well made as one without a name", () => {
  assert.deepEqual(placeholdersIn({ a: "{{x}} and {{y}}", b: [{ c: "{{ z }}" }] }), [
    { name: "x", path: ["a"] },
    { name: "y", path: ["a"] },
    { name: "z", path: ["b", 0, "c"] },
  ]);
  for (const text of ["{{x", "x}}", "{{}}", "{{a.b}}", "{{1}}"])
    assert.ok(
      placeholdersIn(text).some(({ name }) => name === ""),
      text,
    );
  for (const text of ["", "{x}", "{ {x} }", "}"]) assert.deepEqual(placeholdersIn(text), [], text);
});
