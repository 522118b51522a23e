import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { openEngine } from "./cedar-engine.ts";
import { cedarSchema, cedarSchemaText } from "./cedar-schema.ts";
import type { DeclaredAction } from "./declared-action.ts";
import { projectionOf } from "./declared-action.ts";
import { allActions, gatewayInput } from "./fixtures/actions.ts";

const schema = cedarSchema(allActions);
const { actions, entityTypes } = schema.json[""] ?? assert.fail("one namespace");

test("the schema is the same whatever the order of the actions", () => {
  const reversed = cedarSchema(allActions.toReversed());
  assert.equal(JSON.stringify(reversed.json), JSON.stringify(schema.json));
  assert.deepEqual([...reversed.groups], [...schema.groups]);
});

test("an action is in its permission, the permission's prefixes and its risk's groups", () => {
  const parents = (name: string) => (actions[name]?.memberOf ?? []).map(({ id }) => id);
  assert.deepEqual(parents("system_fleet_put_object"), ["system.fleet.write", "effect:write", "approval:approve"]);
  assert.deepEqual(parents("system.fleet.write"), ["system.fleet"]);
  assert.deepEqual(parents("system.fleet"), ["system"]);
  assert.deepEqual(parents("system"), []);
  assert.ok(schema.groups.has("system.fleet") && !schema.groups.has("system_fleet_put_object"));
  assert.deepEqual([...schema.mayLoosen], ["system_fleet_put_object", "system_gateway_call"]);
});

test("the text names enums, groups and the input, for people who write policies", () => {
  const text = cedarSchemaText(schema);
  assert.ok(text.includes('entity FleetKind enum ["Template", "Module", "Assignment", "ProviderConfig"];'));
  assert.ok(text.includes("entity Agent in [Account, Role] = {\n  account: Account,\n  id: String,"));
  const groups = ["system.fleet.write", "effect:write", "approval:approve"].map((name) => `Action::"${name}"`);
  assert.ok(text.includes(`action "system_fleet_put_object" in [${groups.join(", ")}] appliesTo {`));
  assert.equal(openEngine().checkParseSchema(text).type, "success");
  assert.equal(text, cedarSchemaText(cedarSchema(allActions.toReversed())));
});

test("the projection belongs to the schema", () => {
  assert.equal((schema.project("system_gateway_call", gatewayInput).input as { count: number }).count, 4);
  assert.throws(() => schema.project("system_gateway_cal", gatewayInput), TypeError);
});

test("declarations that clash are refused", () => {
  const base = allActions[0] ?? assert.fail("an action");
  const cases: [string, DeclaredAction[]][] = [
    ["two actions are called", [base, base]],
    ["is the name of an action and of a permission", [base, { ...base, name: "x", permission: `${base.name}.read` }]],
    [
      "has the name of another type",
      [{ ...base, policyInput: z.strictObject({ role: z.enum(["a"]).meta({ id: "Role" }) }) }],
    ],
  ];
  for (const [why, declared] of cases) {
    assert.throws(
      () => cedarSchema(declared),
      (error) => error instanceof TypeError && error.message.includes(why),
      why,
    );
  }
  assert.ok(cedarSchema([base, { ...base, name: "system_identity_other" }]).actions.size === 2);
});

test("resources may be of several types, and enums have their values", () => {
  assert.deepEqual(actions["system_identity_ban_principal"]?.appliesTo?.resourceTypes, [
    "Agent",
    "Operator",
    "Service",
  ]);
  assert.deepEqual(entityTypes["SystemGatewayCallMode"], { enum: ["soft", "force"] });
});

test("a projection by names takes the input's own types", () => {
  const input = z.strictObject({ kind: z.enum(["a", "b"]), secret: z.string() });
  assert.deepEqual(Object.keys(projectionOf(input, ["kind"]).shape), ["kind"]);
  assert.throws(() => projectionOf(input, ["kinds"]), TypeError);
  assert.throws(() => projectionOf(input, ["constructor"]), TypeError);
});
