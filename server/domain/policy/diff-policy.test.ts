import assert from "node:assert/strict";
import { test } from "node:test";
import type { InterventionRule } from "../../../contracts/policy/policy-document.ts";
import { diffPolicy, ruleInWords } from "./diff-policy.ts";
import type { PolicySummary } from "./policy-checker.ts";

const night: PolicySummary = {
  id: "night",
  why: "Nobody changes the fleet at night.",
  effect: "forbid",
  text: "forbid (...);",
};
const open: PolicySummary = { id: "open", why: "Everybody may.", effect: "permit", text: "permit (...);" };
const rule: InterventionRule = {
  id: "prod",
  why: "Production needs two.",
  actions: ["system.fleet.write"],
  outcome: { approve: 2, holding: "system.approval.decide" },
};
const before = { policies: [night], rules: [rule] };

test("tells what comes, goes and changes, by the names and reasons that people know", () => {
  const confirm: InterventionRule = { ...rule, resource: "Agent", when: "true", outcome: "confirm" };
  assert.deepEqual(diffPolicy(before, { policies: [open], rules: [confirm] }), [
    { field: "policy night", before: "forbids: Nobody changes the fleet at night.\nforbid (...);" },
    { field: "policy open", after: "permits: Everybody may.\npermit (...);" },
    {
      field: "rule prod",
      before:
        "calls of system.fleet.write must be approved by two people holding system.approval.decide: Production needs two.",
      after: "calls of system.fleet.write on an Agent when true must be confirmed by the caller: Production needs two.",
    },
  ]);
});

test("a text that changes under the same reason is told", () => {
  const [change] = diffPolicy(before, { ...before, policies: [{ ...night, text: "forbid (..) unless { true };" }] });
  assert.equal(change?.field, "policy night");
  assert.match(change?.after ?? "", /unless \{ true \}/);
});

test("where neither policies nor rules change, that is told", () => {
  assert.deepEqual(
    diffPolicy(before, structuredClone(before)).map(({ field }) => field),
    ["layout"],
  );
  assert.deepEqual(
    diffPolicy({ policies: [night, open], rules: [] }, { policies: [open, night], rules: [] }).map(
      ({ field }) => field,
    ),
    ["layout"],
  );
});

test("a rule's outcome in words", () => {
  const says = (changes: Partial<InterventionRule>) => ruleInWords({ ...rule, ...changes });
  assert.match(says({ outcome: "auto", loosens: true }), /need only be permitted/);
  assert.match(says({ outcome: "confirm", loosens: true }), /need only be confirmed by the caller/);
  assert.match(says({ outcome: "forbid" }), /must be refused/);
  assert.match(
    says({ outcome: { approve: 1, holding: "system.fleet.write" } }),
    /must be approved by one person holding system.fleet.write/,
  );
  assert.match(says({ resource: "FleetObject" }), / on a FleetObject must/);
});
