import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../contracts/formats/canonical-json.ts";
import type { AuthzRequest } from "./authz-request.ts";
import { type CedarEngine, openEngine } from "./cedar-engine.ts";
import { cedarSchema } from "./cedar-schema.ts";
import { askSets } from "./decide.ts";
import { allActions, gatewayInput } from "./fixtures/actions.ts";
import { admin, agent, ask, compiled, policy, template } from "./fixtures/requests.ts";
import { PolicyEvaluator } from "./policy-evaluator.ts";
import type { PolicySet } from "./policy-set.ts";

const schema = cedarSchema(allActions);
const setOf = (...policies: string[]): PolicySet => compiled(schema, policies.join("")).policies;
const call = (changes: Partial<AuthzRequest> = {}, input: Record<string, Json> = {}) =>
  ask({ action: "system_gateway_call", input: { ...gatewayInput, ...input }, ...changes });

/** An engine that counts, and dies when told to. */
function countingEngine() {
  const engine = openEngine();
  const counted = { calls: 0, parsed: 0, dies: false };
  const double: CedarEngine = {
    ...engine,
    statefulIsAuthorized: (question) => {
      counted.calls++;
      if (counted.dies) throw new RangeError("Maximum call stack size exceeded");
      return engine.statefulIsAuthorized(question);
    },
    preparsePolicySet: (name, policies) => {
      counted.parsed++;
      return engine.preparsePolicySet(name, policies);
    },
  };
  return { double, counted };
}

test("a forbid wins over permits, and tells its name", () => {
  const evaluator = new PolicyEvaluator(schema, openEngine());
  const set = setOf(policy("permit", "p"), policy("forbid", "f", "when { context.input.dry }"), policy("permit", "q"));
  const [forbidden] = askSets(schema, evaluator, [set], call());
  assert.deepEqual(forbidden, { allowed: false, deciding: ["f"], faults: [] });
  const [permitted] = askSets(schema, evaluator, [set], call({}, { dry: false }));
  assert.deepEqual(permitted, { allowed: true, deciding: ["p", "q"], faults: [] });
});

test("a policy that fails is told, and so is that nothing follows from the rest", () => {
  const evaluator = new PolicyEvaluator(schema, openEngine());
  const set = setOf(
    policy("permit", "p"),
    policy("forbid", "f", "when { context.input.count * 4611686018427387904 > 5 }"),
  );
  const [fails] = askSets(schema, evaluator, [set], call({}, { count: 4 }));
  assert.deepEqual(fails?.faults, [{ policy: "f", what: "a number grew beyond 64 bits" }]);
  assert.equal(fails?.allowed, true); // what Cedar says: whoever ignores the faults lets the call pass
  const [works] = askSets(schema, evaluator, [set], call({}, { count: 0 }));
  assert.deepEqual(works, { allowed: true, deciding: ["p"], faults: [] });
});

test("a call that does not fit is a fault, without the call's values", () => {
  const evaluator = new PolicyEvaluator(schema, openEngine());
  const sets = [setOf(policy("permit", "p", 'when { context.input.mode == SystemGatewayCallMode::"soft" }'))];
  assert.deepEqual(askSets(schema, evaluator, sets, call())[0]?.faults, []);
  const faults = [
    askSets(schema, evaluator, sets, call({}, { mode: "hunter2" })),
    askSets(schema, evaluator, sets, call({}, { mode: 7 })),
    askSets(
      schema,
      evaluator,
      sets,
      call({ resource: { ...template, attributes: { ...template.attributes, kind: "hunter2" } } }),
    ),
    askSets(schema, evaluator, sets, call({ action: "system_gateway_hunt" })),
  ].map(([answer]) => answer?.faults[0]?.what ?? "none");
  assert.deepEqual(faults, [
    "the call does not fit the schema of the policies",
    "input.mode does not fit what the action declares for policies",
    "the call does not fit the schema of the policies",
    "there is no action system_gateway_hunt",
  ]);
});

test("the same call is answered from memory, and any difference that a policy can see is asked anew", () => {
  const { double, counted } = countingEngine();
  const evaluator = new PolicyEvaluator(schema, double);
  const set = setOf(
    policy(
      "permit",
      "p",
      'when { context.input.count > 3 && context.input.labels.hasTag("env") && context.time.weekday < 6 }',
    ),
    policy("forbid", "f", 'when { context.channel == Channel::"job" }'),
  );
  const other = setOf(policy("permit", "p", "when { context.input.count > 3 }"));
  const asks = (request: AuthzRequest, sets = [set]) => {
    const before = counted.calls;
    askSets(schema, evaluator, sets, request);
    return counted.calls - before;
  };
  assert.equal(asks(call()), 1);
  const same = [
    call(),
    call({}, { text: "not read", ratio: 9 }),
    call({ now: new Date("2026-11-20T12:31:00Z") }), // another minute of the same day
  ];
  for (const request of same) assert.equal(asks(request), 0);
  const different = [
    call({}, { count: 5 }),
    call({}, { labels: { env: "dev" } }),
    call({ now: new Date("2026-11-21T12:30:15Z") }),
    call({ channel: "cli" }),
    call({ account: "account-2" }),
    call({ principal: { ...agent, roles: ["agent", "reader"] } }),
    call({ principal: { ...agent, owner: "person-2" } }),
    call({ principal: { ...agent, id: "agent-2" } }),
    call({ principal: { ...agent, type: "Service" } }),
    call({ resource: { ...template, attributes: { ...template.attributes, kind: "Module" } } }),
  ];
  for (const request of different) {
    assert.equal(asks(request), 1);
    assert.equal(asks(request), 0);
  }
  const otherObjects = [
    call({ resource: { ...template, id: "Template/api" } }),
    call({ resource: { ...template, attributes: { ...template.attributes, labels: {} } } }),
    call({ resource: { ...template, attributes: { ...template.attributes, owner: "repo" } } }),
  ];
  assert.equal(asks(call(), [other]), 1);
  for (const request of otherObjects) assert.equal(asks(request, [other]), 0); // no policy tells them apart
  for (const telling of [
    policy("permit", "p", 'when { resource.labels.hasTag("env") }'),
    policy("permit", "p", 'when { resource has owner && resource.owner == "repo" }'),
    policy("permit", "p", 'when { resource == FleetObject::"Template/web" }'),
    policy("permit", "p", 'when { [resource].contains(FleetObject::"Template/web") }'),
    policy("permit", "p").replace(/resource\)/, 'resource == FleetObject::"Template/web")'),
  ]) {
    const tells = setOf(telling);
    assert.equal(asks(call(), [tells]), 1);
    // labels that nobody looks into are not handed over at all
    const seen = telling.includes("labels") ? [1, 1, 1] : [1, 0, 1];
    assert.deepEqual(
      otherObjects.map((request) => asks(request, [tells])),
      seen,
      telling,
    );
  }
  const ownAccount = setOf(policy("permit", "p", "when { resource in principal.account }"));
  assert.equal(asks(call(), [ownAccount]), 1);
  for (const request of otherObjects) assert.equal(asks(request, [ownAccount]), 0);
  assert.equal(asks(call(), [set, other]), 2);
  assert.equal(asks(call(), [set, other]), 0);
});

test("failures are not remembered, and memory is limited", () => {
  const { double, counted } = countingEngine();
  const evaluator = new PolicyEvaluator(schema, double, { sets: 8, calls: 2 });
  const set = setOf(policy("permit", "p", "when { context.input.count * 4611686018427387904 != 5 }"));
  const asks = (count: number) => {
    const before = counted.calls;
    askSets(schema, evaluator, [set], call({}, { count }));
    return counted.calls - before;
  };
  assert.deepEqual([asks(4), asks(4)], [1, 1]);
  assert.deepEqual([asks(0), asks(1), asks(0), asks(1)], [1, 1, 0, 0]);
  assert.deepEqual([asks(-1), asks(0)], [1, 1]);
});

test("sets take turns in the engine without being mixed up", () => {
  const { double, counted } = countingEngine();
  const evaluator = new PolicyEvaluator(schema, double, { sets: 2, calls: 0 });
  const sets = [3, 4, 5, 6, 7].map((n) => setOf(policy("permit", `over-${n}`, `when { context.input.count >= ${n} }`)));
  const expected = [["over-3"], ["over-4"], ["over-5"], [], []];
  for (const order of [
    [0, 1, 2, 3, 4],
    [4, 3, 2, 1, 0],
    [2, 2, 0, 4, 0],
  ]) {
    for (const index of order) {
      const [answer] = askSets(schema, evaluator, [sets[index] as PolicySet], call({}, { count: 5 }));
      assert.deepEqual(answer?.deciding, expected[index]);
    }
  }
  const before = counted.parsed;
  askSets(schema, evaluator, [sets[0] as PolicySet], call());
  assert.equal(counted.parsed, before); // still there from the last round
  askSets(schema, evaluator, [sets[3] as PolicySet], call());
  assert.equal(counted.parsed, before + 1);
});

test("an engine that dies denies this call, and the next one is answered by a new engine", () => {
  const { double, counted } = countingEngine();
  const evaluator = new PolicyEvaluator(schema, double);
  const set = setOf(policy("permit", "p", "when { context.input.count > 3 }"));
  assert.equal(askSets(schema, evaluator, [set], call())[0]?.allowed, true);
  counted.dies = true;
  assert.deepEqual(askSets(schema, evaluator, [set], call({}, { count: 5 })), [
    { allowed: false, deciding: [], faults: [{ what: "the policy engine failed" }] },
  ]);
  assert.equal(askSets(schema, evaluator, [set], call({}, { count: 5 }))[0]?.allowed, true);
  assert.equal(askSets(schema, evaluator, [set], call({}, { count: 2 }))[0]?.allowed, false);
});

test("a set that does not cover the action has nothing to say", () => {
  const { double, counted } = countingEngine();
  const evaluator = new PolicyEvaluator(schema, double);
  const request = ask({ principal: admin });
  assert.deepEqual(askSets(schema, evaluator, [setOf(policy("forbid", "f"))], request), []);
  assert.equal(counted.calls, 0);
});
