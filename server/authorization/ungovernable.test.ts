import assert from "node:assert/strict";
import { after, test } from "node:test";
import { canonicalize, digest, type Json } from "../../contracts/formats/canonical-json.ts";
import type { InterventionRule } from "../../contracts/policy/policy-document.ts";
import { actions as registered } from "../../tools/index.ts";
import { readBasePolicies } from "./base-policies.ts";
import { declaredActions } from "./declared-action.ts";
import { policy, policyDocument } from "./fixtures/requests.ts";
import { PolicyEngine } from "./policy-engine.ts";

const engine = new PolicyEngine({ actions: declaredActions(registered), base: readBasePolicies() });
after(() => engine.close());

const forbid = (head: string, condition = "") => policyDocument(policy("forbid", "f", condition, head));
const put = 'principal, action == Action::"system_policy_put", resource';
const decide = 'principal, action == Action::"system_approval_decide_request", resource';
const rule = (changes: Partial<InterventionRule>): InterventionRule => ({
  ...{ id: "r", why: "because", actions: ["system_policy_put"], outcome: "confirm" },
  ...changes,
});
const accepts = async (document: unknown) => {
  const { problems, accepted, compiled } = await engine.check(document);
  assert.deepEqual(problems, []);
  assert.ok(accepted && compiled);
};
const refuses = async (document: unknown, message: RegExp) => {
  const { problems, accepted, compiled } = await engine.check(document);
  assert.match(problems[0]?.message ?? "", message);
  assert.deepEqual([accepted, compiled], [undefined, undefined]);
};

test("a document that nobody could replace is refused", async () => {
  const nobody = /no administrator could ever put another/;
  await refuses(forbid("principal, action, resource"), nobody);
  await refuses(forbid(put), nobody);
  await refuses(forbid(put, "unless { principal is Agent }"), nobody);
  await refuses(policyDocument("", [rule({ outcome: "forbid" })]), nobody);
  await accepts(policyDocument(""));
  await accepts(forbid('principal, action == Action::"system_fleet_put_object", resource'));
  await accepts(policyDocument("", [rule({ outcome: { approve: 2, holding: "system.policy.write" } })]));
});

test("a document that leaves some administrator, some hours or a door is accepted", async () => {
  await accepts(forbid(put, 'unless { principal == Operator::"ada" }'));
  await accepts(forbid(put, 'unless { principal in Role::"approver" }'));
  await accepts(forbid(put, "unless { context.time.weekday == 3 && context.time.minuteOfDay > 720 }"));
  await accepts(forbid(put, 'unless { context.channel == Channel::"mcp" }'));
});

test("a document under which nobody could decide is refused", async () => {
  const nobody = /nobody could ever decide/;
  await refuses(forbid(decide), nobody);
  await accepts(forbid(decide, 'when { principal in Role::"reader" }'));
});

test("no rule stands before a decision", async () => {
  const covers = /the rule covers system_approval_decide_request/;
  const holding = "system.approval.decide";
  for (const outcome of ["confirm", "forbid", { approve: 1, holding }] as const) {
    await refuses(policyDocument("", [rule({ outcome, actions: ["system_approval_decide_request"] })]), covers);
    await refuses(policyDocument("", [rule({ outcome, actions: ["system"] })]), covers);
    await accepts(policyDocument("", [rule({ outcome, actions: ["system.fleet.write"] })]));
  }
  await accepts(policyDocument("", [rule({ actions: ["system"], resource: "FleetObject" })]));
});

test("a refused document that is in force all the same still loads: what it leaves stays usable", async () => {
  const document = forbid(decide);
  const text = canonicalize(document as unknown as Json);
  assert.ok(await engine.own(digest(text), async () => text));
});
