import assert from "node:assert/strict";
import { test } from "node:test";
import { InterventionRule, PolicyDocument, policyDocumentJsonSchema } from "./policy-document.ts";

const rule = { id: "prod", why: "Production needs two.", actions: ["system.fleet.write"], outcome: "confirm" };
const document = {
  apiVersion: "countersign/v1",
  kind: "Policy",
  authorization: { cedar: "" },
  intervention: { rules: [rule] },
};

test("accepts what it gives back unchanged", () => {
  assert.deepEqual(PolicyDocument.parse(document), document);
  const full = {
    ...rule,
    resource: "FleetObject",
    when: "true",
    outcome: { approve: 2, holding: "system.approval.decide" },
    loosens: true,
  };
  assert.deepEqual(InterventionRule.parse(full), full);
});

test("refuses what is unknown, missing, misspelt or too much, and tells where", () => {
  const paths = (changes: object) =>
    (PolicyDocument.safeParse({ ...document, ...changes }).error?.issues ?? []).map(({ path }) => path.join("."));
  const rules = (...changed: object[]) => ({
    intervention: { rules: changed.map((changes) => ({ ...rule, ...changes })) },
  });
  assert.deepEqual(paths({}), []);
  assert.deepEqual(paths({ apiVersion: "countersign/v2" }), ["apiVersion"]);
  assert.deepEqual(paths({ gateway: {} }), [""]);
  assert.deepEqual(paths({ authorization: { cedar: "x".repeat(16_385) } }), ["authorization.cedar"]);
  assert.deepEqual(paths({ authorization: { cedar: "x".repeat(16_384) } }), []);
  const refused: [string, object][] = [
    ["id", { id: "Prod" }],
    ["id", { id: 'a" }' }],
    ["why", { why: "" }],
    ["why", { why: "two\nlines" }],
    ["why", { why: "right\u202eleft" }],
    ["why", { why: "zero\u200bwidth" }],
    ["why", { why: "half \ud800" }],
    ["actions", { actions: [] }],
    ["actions.0", { actions: ['x", Action::"y'] }],
    ["resource", { resource: "fleet object" }],
    ["resource", { resource: "A::B" }],
    ["when", { when: "" }],
    ["when", { when: "x".repeat(2_049) }],
    ["outcome", { outcome: "approve" }],
    ["outcome", { outcome: { approve: 3, holding: "system" } }],
    ["outcome", { outcome: { approve: 1 } }],
    ["outcome", { outcome: { approve: 1, holding: "System" } }],
    ["loosens", { loosens: false }],
    ["", { extra: 1 }],
  ];
  for (const [path, changes] of refused) {
    const expected = path === "" ? "intervention.rules.0" : `intervention.rules.0.${path}`;
    assert.ok(
      paths(rules(changes))[0]?.startsWith(expected),
      `${path} ${JSON.stringify(changes)}: ${paths(rules(changes)).join()}`,
    );
  }
  assert.deepEqual(paths(rules({ why: "Für die Nacht – 夜間は禁止 👩‍🚀".replace("\u200d", "") })), []);
  assert.deepEqual(paths(rules({ id: "a" }, { id: "b" }, { id: "a" })), ["intervention.rules.2.id"]);
  assert.deepEqual(paths(rules(...Array.from({ length: 101 }, (_, i) => ({ id: `r${i}` })))), ["intervention.rules"]);
});

test("publishes a JSON Schema that is as strict", () => {
  const schema = policyDocumentJsonSchema() as { additionalProperties: boolean; required: string[]; $id: string };
  assert.equal(schema.additionalProperties, false);
  assert.deepEqual(schema.required, ["apiVersion", "kind", "authorization", "intervention"]);
  assert.equal(schema.$id, "policy-document.v1.schema.json");
  assert.deepEqual(policyDocumentJsonSchema(), schema);
});
