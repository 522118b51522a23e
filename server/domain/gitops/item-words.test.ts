import assert from "node:assert/strict";
import { test } from "node:test";
import { assignment, module, template } from "../fleet/fleet.fixture.ts";
import type { ProposedItem } from "./gitops-store.ts";
import { fieldInWords, itemInWords, itemsInWords } from "./item-words.ts";

const FIELDS: Readonly<Record<string, string>> = {
  "spec.version": "version",
  "spec.modules[0]": "module 1",
  "spec.dependsOn[11]": "dependency 12",
  "spec.secretRef": "secret reference",
  "spec.parameters.size.default": "parameter size, default",
  "spec.parameters.size": "parameter size",
  "spec.parameters.size.enum[2]": "parameter size, allowed value 3",
  "spec.selector.example.com/tier": "selector example.com/tier",
  "labels.team": "label team",
  "annotations.a.b": "annotation a.b",
};

for (const [field, words] of Object.entries(FIELDS))
  test(`${field} is told as ${words}`, () => assert.equal(fieldInWords(field), words));

test("each action is a sentence that needs no schema to be understood", () => {
  const { kind, name } = assignment("prod");
  const before = assignment("prod", { parameters: { replicas: 2, zone: "a" } });
  const after = assignment("prod", { parameters: { replicas: 3, size: "xl" } });
  const item = (action: ProposedItem["action"], more: Partial<ProposedItem> = {}): ProposedItem => ({
    action,
    kind,
    name,
    ...more,
  });
  assert.equal(itemInWords(item("create", { after })), "Create the assignment prod.");
  assert.equal(itemInWords(item("delete", { before })), "Delete the assignment prod.");
  assert.equal(
    itemInWords(item("update", { before, after })),
    "Change the assignment prod: parameter replicas from 2 to 3; parameter size added: xl; parameter zone removed (it was a).",
  );
  assert.equal(
    itemInWords(item("adopt", { before: after, after })),
    "Take over the assignment prod, which belongs to no repository.",
  );
});

test("of many differences some are told, and how many there are besides; long values are cut", () => {
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`p${i}`, i]));
  const item = { action: "update", kind: "Assignment", name: "x" } as const;
  const words = itemInWords({ ...item, before: assignment("x"), after: assignment("x", { parameters: many }) });
  assert.match(words, /; and 6 more\.$/);
  const long = itemInWords({
    ...item,
    before: assignment("x"),
    after: assignment("x", { parameters: { p: "y".repeat(500) } }),
  });
  assert.ok(long.length < 150);
});

test("a whole proposal is told by what it does to how many of which", () => {
  const items = [
    { action: "create", ...module("a") },
    { action: "create", ...module("b") },
    { action: "create", ...template("t") },
    { action: "update", ...template("u") },
  ] as const;
  assert.equal(itemsInWords(items), "create 2 modules and 1 template, change 1 template");
});
