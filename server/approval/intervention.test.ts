import assert from "node:assert/strict";
import { test } from "node:test";
import type { InterventionRule } from "../../contracts/policy/policy-document.ts";
import type { Approval } from "../action/risk.ts";
import { demand, ruleToCedar } from "./intervention.ts";

const rule = (id: string, outcome: InterventionRule["outcome"], loosens?: true): InterventionRule => ({
  id,
  why: `because of ${id}`,
  actions: ["system.fleet.write"],
  outcome,
  ...(loosens && { loosens }),
});
const confirm = rule("confirm", "confirm");
const forbid = rule("forbid", "forbid");
const one = rule("one", { approve: 1, holding: "system.fleet.write" });
const two = rule("two", { approve: 2, holding: "system.approval.decide" });
const atOnce = rule("at-once", "auto", true);
const confirmed = rule("confirmed", "confirm", true);

interface Case {
  readonly name: string;
  readonly risk: Approval;
  readonly mayLoosen?: boolean;
  readonly matched?: readonly InterventionRule[];
  readonly kind: string;
  readonly people?: number;
  readonly holding?: readonly string[];
  readonly rules?: readonly string[];
}

const cases: readonly Case[] = [
  { name: "nothing matches: the risk counts", risk: "approve", kind: "approve", people: 1 },
  { name: "a rule tightens", risk: "none", matched: [confirm], kind: "confirm", rules: ["confirm"] },
  { name: "a weaker rule changes nothing", risk: "two-person", matched: [confirm], kind: "approve", people: 2 },
  {
    name: "of several rules the strictest counts",
    risk: "none",
    matched: [confirm, two, one],
    kind: "approve",
    people: 2,
    holding: ["system.approval.decide", "system.fleet.write"],
    rules: ["two", "one"],
  },
  {
    name: "a rule that forbids wins over all",
    risk: "two-person",
    matched: [two, forbid, atOnce],
    mayLoosen: true,
    kind: "forbid",
    rules: ["forbid"],
  },
  {
    name: "a loosening counts where the action allows it",
    risk: "approve",
    mayLoosen: true,
    matched: [atOnce],
    kind: "auto",
    rules: ["at-once"],
  },
  { name: "and nowhere else", risk: "approve", mayLoosen: false, matched: [atOnce], kind: "approve", people: 1 },
  {
    name: "a loosening never takes another rule away",
    risk: "approve",
    mayLoosen: true,
    matched: [atOnce, one],
    kind: "approve",
    people: 1,
    holding: ["system.fleet.write"],
    rules: ["one"],
  },
  {
    name: "of several loosenings the strictest counts",
    risk: "approve",
    mayLoosen: true,
    matched: [atOnce, confirmed],
    kind: "confirm",
    rules: ["confirmed"],
  },
];

for (const { name, risk, mayLoosen = false, matched = [], ...expected } of cases) {
  test(name, () => {
    for (const order of [matched, matched.toReversed()]) {
      const { kind, people, holding, rules, because } = demand(risk, mayLoosen, order);
      assert.deepEqual(
        { kind, people, holding: holding.toSorted(), rules: rules.toSorted() },
        {
          kind: expected.kind,
          people: expected.people ?? 0,
          holding: (expected.holding ?? []).toSorted(),
          rules: (expected.rules ?? []).toSorted(),
        },
      );
      assert.deepEqual(
        because.map(({ id, why }) => why === `because of ${id}`),
        rules.map(() => true),
      );
    }
  });
}

test("a rule becomes a policy that matches, its condition on lines of its own", () => {
  const plain = ruleToCedar({ ...one, actions: ["system.fleet.write", "effect:external"], resource: "FleetObject" });
  assert.equal(
    plain.text,
    'permit(principal, action in [Action::"system.fleet.write", Action::"effect:external"], resource is FleetObject);',
  );
  const { text, conditionAt } = ruleToCedar({ ...one, when: "true // so" });
  assert.equal(text.slice(conditionAt), "true // so\n};");
});
