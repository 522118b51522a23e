import assert from "node:assert/strict";
import { test } from "node:test";
import type { InterventionRule } from "../../contracts/policy/policy-document.ts";
import { cedarSchema } from "./cedar-schema.ts";
import { checkRules } from "./check-rules.ts";
import { allActions } from "./fixtures/actions.ts";

const schema = cedarSchema(allActions);
const rule = (changes: Partial<InterventionRule> = {}): InterventionRule => ({
  id: "r",
  why: "because",
  actions: ["system.fleet.write"],
  outcome: "confirm",
  ...changes,
});
const accepts = (...rules: InterventionRule[]) => {
  const { policies, problems } = checkRules(schema, rules);
  assert.deepEqual(problems, []);
  return policies;
};
const refuses = (changes: Partial<InterventionRule>, expected: { path: string; message: RegExp; at?: string }) => {
  const { policies, problems } = checkRules(schema, [rule({ id: "first" }), rule(changes)]);
  assert.deepEqual(policies, []);
  const [first] = problems;
  assert.equal(first?.path, `intervention.rules[1]${expected.path}`);
  assert.match(first?.message ?? "", expected.message);
  if (expected.at) assert.equal(`${first?.line}:${first?.column}`, expected.at);
  return problems;
};

test("a rule covers an action, a permission with all below it, or a risk", () => {
  const covered = (...actions: string[]) => [...(accepts(rule({ actions }))[0]?.scope.actions ?? [])];
  assert.deepEqual(covered("system_fleet_put_object"), ["system_fleet_put_object"]);
  assert.deepEqual(covered("system.fleet.write", "system.fleet.delete"), [
    "system_fleet_delete_object",
    "system_fleet_put_object",
  ]);
  assert.deepEqual(covered("effect:external"), ["system_gateway_call"]);
  assert.ok(covered("system").length > 20);
});

test("a condition is checked by the actions that the rule covers, line and column counted in the condition", () => {
  const when = 'resource.labels.hasTag("env") &&\n  context.input.object.kind == FleetKind::"Template"';
  const [policy] = accepts(rule({ when, resource: "FleetObject" }));
  assert.deepEqual(policy?.reads, [["input", "object", "kind"]]);
  assert.equal(policy?.id, "r");
  refuses({ when: when.replace('"Template"', '"Tempalte"') }, { path: ".when", message: /enumerated/, at: "2:32" });
  refuses({ when: "context.input.objct.kind" }, { path: ".when", message: /objct/, at: "1:1" });
  refuses({ when: "true &&\n && true" }, { path: ".when", message: /unexpected token/, at: "2:2" });
  refuses(
    { when: "context.input has forse" },
    { path: ".when", message: /nothing that this policy covers/, at: "1:15" },
  );
  refuses({ when: "context.input.expectedVersion > 3" }, { path: ".when", message: /expectedVersion/ });
});

test("a condition stays one condition", () => {
  accepts(rule({ when: "true // with a comment };" }));
  refuses({ when: "true } unless { false" }, { path: ".when", message: /one condition/ });
  refuses(
    { when: "true };\npermit(principal, action, resource) when { true" },
    { path: ".when", message: /second policy/ },
  );
  refuses({ when: "true } // {" }, { path: ".when", message: /./ });
  refuses({ when: '"' }, { path: ".when", message: /./ });
  refuses({ when: `${"(".repeat(60)}true${")".repeat(60)}` }, { path: ".when", message: /nested deeper/ });
});

test("names are known ones, and all that are not are told", () => {
  const problems = refuses(
    {
      actions: ["system.fleet", "system.flet"],
      resource: "FleetObjects",
      outcome: { approve: 1, holding: "system.approvals" },
    },
    { path: ".actions[1]", message: /no action or permission is called system.flet/ },
  );
  assert.deepEqual(
    problems.map(({ path }) => path.slice("intervention.rules[1]".length)),
    [".actions[1]", ".resource", ".outcome.holding"],
  );
  accepts(
    rule({ actions: ["system.fleet"], resource: "FleetObject", outcome: { approve: 1, holding: "system.approval" } }),
  );
  refuses({ resource: "Token" }, { path: "", message: /impossible|applicable action/i });
});

test("a rule that can have no effect is refused", () => {
  accepts(rule({ outcome: "auto", loosens: true }));
  refuses({ outcome: "auto" }, { path: "", message: /auto has no effect/ });
  refuses({ outcome: "auto", loosens: true, actions: ["system.fleet.delete"] }, { path: "", message: /ask for less/ });
  accepts(rule({ outcome: "auto", loosens: true, actions: ["system.fleet"] }));
});

test("nothing is agreed to before a read: a rule that names one is refused, a group that holds some is not", () => {
  const approve = { approve: 1, holding: "system.approval.decide" } as const;
  const list = "system_events_list";
  for (const outcome of ["confirm", approve] as const) {
    refuses({ outcome, actions: ["system.fleet", list] }, { path: "", message: /system_events_list is a read/ });
    refuses({ outcome, actions: ["effect:read"] }, { path: "", message: /every action of this rule is a read/ });
    accepts(rule({ outcome, actions: ["system.fleet"] }));
  }
  accepts(rule({ outcome: "forbid", actions: [list] }));
});
