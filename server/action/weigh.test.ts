import assert from "node:assert/strict";
import { test } from "node:test";
import type { Demand } from "./approvals.ts";
import type { Decision } from "./authorizer.ts";
import { AUTO, caller, fakeGate, PERMITTED } from "./fake-gate.ts";
import type { OtherCall } from "./other-call.ts";
import { decideAll, demandAll } from "./weigh.ts";

const FORBIDDEN: Decision = { outcome: "forbidden", policies: [{ id: "no", why: "no" }], words: "Nobody may." };
const ONE: Demand = { kind: "approve", people: 1, holding: [], rules: [] };

const other = (id: string): OtherCall => ({
  action: "system_test_change",
  input: {},
  target: { type: "FleetObject", id },
});

/** A gate that says of each target what the test wants; the call itself is about `own`. */
function weighing(said: Readonly<Record<string, Partial<{ decision: Decision; demand: Demand }>>>) {
  const { gate } = fakeGate();
  const action = gate.registry.get("system_test_change")?.action ?? assert.fail();
  const question = {
    caller,
    action,
    target: { type: "Account", id: "own" },
    input: {},
    channel: "mcp",
    now: new Date(),
  } as const;
  const asked: string[] = [];
  const judge = {
    ...gate,
    authorizer: {
      ...gate.authorizer,
      decide: async ({ target }: { target: { id: string } }) => {
        asked.push(target.id);
        return said[target.id]?.decision ?? PERMITTED;
      },
      demand: async ({ target }: { target: { id: string } }) => said[target.id]?.demand ?? AUTO,
    },
  };
  return { judge, question, asked };
}

test("a call is permitted where it and each that it amounts to are; the first that is not decides, by name", async () => {
  const fine = weighing({});
  assert.equal(await decideAll(fine.judge, fine.question, [other("a"), other("b")]), PERMITTED);
  assert.deepEqual(fine.asked, ["own", "a", "b"]);

  const refused = weighing({ a: { decision: FORBIDDEN } });
  const decision = await decideAll(refused.judge, refused.question, [other("a"), other("b")]);
  assert.equal(decision.outcome, "forbidden");
  assert.match(decision.words, /system_test_change on a: Nobody may\./);
  assert.deepEqual(refused.asked, ["own", "a"]);

  const own = weighing({ own: { decision: FORBIDDEN } });
  assert.equal(await decideAll(own.judge, own.question, [other("a")]), FORBIDDEN);
  assert.deepEqual(own.asked, ["own"]);
});

const HOLDING: Demand = { kind: "approve", people: 1, holding: ["system.fleet.write"], rules: ["r1"] };
for (const [what, demands, wanted] of [
  ["nobody is needed by any", {}, AUTO],
  ["one of the others needs a person", { a: ONE }, ONE],
  ["the call needs one and another two", { own: ONE, b: { ...ONE, people: 2 } }, { ...ONE, people: 2 }],
  [
    "what approvers must hold adds up",
    { own: ONE, a: HOLDING, b: { ...HOLDING, holding: ["x"], rules: ["r2"] } },
    { kind: "approve", people: 1, holding: ["system.fleet.write", "x"], rules: ["r1", "r2"] },
  ],
  ["a loosened call of others loosens nothing", { own: ONE, a: AUTO }, ONE],
  [
    "one that a rule forbids forbids them all",
    { own: ONE, b: { kind: "forbid", people: 0, holding: [], rules: ["no"] } },
    { kind: "forbid", people: 0, holding: [], rules: ["no"] },
  ],
] as const) {
  test(`who has to agree: ${what}`, async () => {
    const said = Object.fromEntries(Object.entries(demands).map(([id, demand]) => [id, { demand }]));
    const { judge, question } = weighing(said);
    assert.deepEqual(await demandAll(judge, question, [other("a"), other("b")]), wanted);
  });
}

test("a call that amounts to one of an action that is not there is a fault of the program", async () => {
  const { judge, question } = weighing({});
  await assert.rejects(decideAll(judge, question, [{ ...other("a"), action: "system_test_nothing" }]), TypeError);
});
