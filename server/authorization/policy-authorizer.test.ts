import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { canonicalize, digest, type Json } from "../../contracts/formats/canonical-json.ts";
import type { Caller } from "../action/caller.ts";
import { defineAction } from "../action/define-action.ts";
import { createRegistry } from "../action/registry.ts";
import type { Services } from "../action/services.ts";
import type { Store } from "../action/store.ts";
import { DEFAULT_POLICY_DOCUMENT } from "../domain/policy/default-document.ts";
import { readBasePolicies } from "./base-policies.ts";
import { declaredActions } from "./declared-action.ts";
import { createPolicyAuthorizer } from "./policy-authorizer.ts";
import { PolicyEngine } from "./policy-engine.ts";

const FORBIDDEN_TO = "01890000-0000-7000-8000-00000000000a";
const putObject = defineAction({
  name: "system_fleet_put_object",
  title: "Put",
  description: "For tests.",
  permission: "system.fleet.write",
  risk: { effect: "write", approval: "approve", loosens: false },
  input: z.strictObject({ env: z.string() }),
  output: z.object({}),
  errors: [],
  channels: ["mcp", "http"],
  policyInput: ["env"],
  resource: ["FleetObject"],
  target: ({ env }) => ({
    type: "FleetObject",
    id: `Template/${env}`,
    attributes: { kind: "Template", name: env, labels: {} },
  }),
  preview: async () => ({ headline: "put", changes: [] }),
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: () => "put",
  handler: async () => ({}),
});

const registry = createRegistry([putObject]);
const engine = new PolicyEngine({ actions: declaredActions([putObject]), base: readBasePolicies() });
test.after(() => engine.close());

async function authorizer(cedar: string) {
  const text = canonicalize({ ...DEFAULT_POLICY_DOCUMENT, authorization: { cedar } } as unknown as Json);
  const read = async (_account: string, fn: (r: never) => unknown) =>
    fn({ policy: { version: async () => ({ document: text }) } } as never);
  const store = { read } as unknown as Pick<Store, "read">;
  const made = await createPolicyAuthorizer(engine, registry, store, () => ({}) as Services);
  const caller = (id: string): Caller => ({
    account: { id: "01890000-0000-7000-8000-000000000001", name: "test", profile: "team", isHub: false },
    principal: { id, kind: "operator", name: "Ann", roles: ["operator"], personId: id },
    policy: { version: 2, hash: digest(text) },
  });
  return { made, caller };
}

const call = (env: string) => ({
  action: "system_fleet_put_object",
  schemaDigest: registry.get("system_fleet_put_object")?.schemaDigest ?? "",
  canonicalInput: canonicalize({ env }),
  channel: "mcp" as const,
});

const CONDITIONAL = `@id("not-ann-in-prod") @why("not her") forbid (principal, action == Action::"system_fleet_put_object", resource)
  when { principal == Operator::"${FORBIDDEN_TO}" && context.input.env == "prod" };`;

test("an approver holds a permission for a call only where they would be permitted the call", async () => {
  const { made, caller } = await authorizer(CONDITIONAL);
  const [ann, bob] = [caller(FORBIDDEN_TO), caller("01890000-0000-7000-8000-00000000000b")];
  // the heads of the policies alone cannot tell
  assert.ok(await made.mayDecide(ann, "system.fleet.write"));
  assert.equal(await made.mayHold(ann, "system.fleet.write", call("prod")), false);
  assert.equal(await made.mayHold(ann, "system.fleet", call("prod")), false);
  assert.equal(await made.mayHold(ann, "system.fleet.write", call("dev")), true);
  assert.equal(await made.mayHold(bob, "system.fleet.write", call("prod")), true);
});

test("a call by an action that changed or went away is held by nobody", async () => {
  const { made, caller } = await authorizer("");
  const bob = caller("01890000-0000-7000-8000-00000000000b");
  assert.equal(await made.mayHold(bob, "system.fleet.write", { ...call("dev"), schemaDigest: digest("other") }), false);
  assert.equal(await made.mayHold(bob, "system.fleet.write", { ...call("dev"), action: "system_gone" }), false);
  assert.equal(await made.mayHold(bob, "system.fleet.write", call("dev")), true);
});
