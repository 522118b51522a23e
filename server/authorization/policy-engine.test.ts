import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { InterventionRule } from "../../contracts/policy/policy-document.ts";
import type { AuthzPrincipal } from "./authz-request.ts";
import { readBasePolicies } from "./base-policies.ts";
import { allActions, gatewayInput } from "./fixtures/actions.ts";
import { account, admin, agent, ask, compiled, policy, policyDocument, template } from "./fixtures/requests.ts";
import { PolicyEngine } from "./policy-engine.ts";

const engine = new PolicyEngine({ actions: allActions, base: readBasePolicies() });
after(() => engine.close());
const own = (cedar: string, rules: readonly InterventionRule[] = []) => compiled(engine.schema, cedar, rules);
const none = own("");
const names = allActions.map(({ name }) => name);
const put = 'principal, action == Action::"system_fleet_put_object", resource';
const stranger: AuthzPrincipal = { type: "Agent", id: "stranger", roles: [] };

test("a decision tells in words what decided, or who may", () => {
  assert.deepEqual(engine.authorize(ask(), none), {
    outcome: "permitted",
    policies: [
      {
        id: "role/agent",
        why: "Agents read, ask for changes of the fleet, sync what declares it, and try out what the policy would say.",
      },
    ],
    words:
      "Permitted by role/agent (Agents read, ask for changes of the fleet, sync what declares it, and try out what the policy would say.).",
  });
  const forbids = own(policy("forbid", "freeze", "", put));
  assert.equal(
    engine.authorize(ask(), forbids).words,
    "system_fleet_put_object is forbidden by freeze (because of freeze).",
  );
  const { outcome, policies, words } = engine.authorize(ask({ principal: stranger }), none);
  assert.deepEqual([outcome, policies], ["not-permitted", []]);
  assert.match(
    words,
    /^No policy permits system_fleet_put_object to this principal. Who may: role\/admin \(.*role\/operator/,
  );
  const nobody = ask({ action: "system_gateway_call", input: gatewayInput, principal: stranger });
  const bare = new PolicyEngine({ actions: allActions, base: [] });
  assert.match(bare.authorize(nobody, none).words, /No policy permits it to anybody/);
});

test("an account's own policies add permits and forbids, and its forbid wins over what ships", () => {
  const opens = own(
    policy(
      "permit",
      "open",
      "",
      'principal == Agent::"stranger", action == Action::"system_fleet_put_object", resource',
    ),
  );
  assert.equal(engine.authorize(ask({ principal: stranger }), opens).outcome, "permitted");
  assert.equal(engine.authorize(ask({ principal: { ...stranger, id: "other" } }), opens).outcome, "not-permitted");
  const both = engine.authorize(ask(), own(policy("permit", "open", "", put)));
  assert.deepEqual(
    both.policies.map(({ id }) => id),
    ["role/agent", "open"],
  );
  const closes = own(policy("forbid", "prod", 'when { context.input.object.labels.hasTag("env") }', put));
  const forbidden = engine.authorize(ask(), closes);
  assert.deepEqual([forbidden.outcome, forbidden.policies.map(({ id }) => id)], ["forbidden", ["prod"]]);
  const unlabelled = { object: { kind: "Template", name: "web", labels: {} } };
  assert.equal(engine.authorize(ask({ input: unlabelled }), closes).outcome, "permitted");
});

test("a policy that cannot be evaluated denies, whichever side it is on", () => {
  const overflow =
    "when { context.input has expectedVersion && context.input.expectedVersion * 4611686018427387904 > 5 }";
  const call = (expectedVersion: number) =>
    ask({ input: { object: { kind: "Template", name: "web", labels: {} }, expectedVersion } });
  for (const effect of ["permit", "forbid"] as const) {
    const fails = own(policy(effect, "sum", overflow, put));
    const { outcome, policies, words } = engine.authorize(call(4), fails);
    assert.deepEqual([outcome, policies], ["failed", [{ id: "sum", why: "because of sum" }]]);
    assert.match(words, /could not be evaluated: sum: a number grew beyond 64 bits\.$/);
    assert.equal(engine.authorize(call(0), fails).outcome, "permitted");
  }
});

test("data that is not whole denies and tells no values", () => {
  const { outcome, words } = engine.authorize(
    ask({ resource: { type: "FleetObject", id: "secret", attributes: { kind: "Template" } } }),
    none,
  );
  assert.equal(outcome, "failed");
  assert.match(words, /a FleetObject without name: policies would miss it/);
  assert.equal(engine.authorize(ask(), none).outcome, "permitted");
});

test("what is shown is never less than what is permitted", () => {
  const asker = { account: "account-1", principal: agent };
  const shown = engine.visible(asker, names, none);
  assert.ok(shown.includes("system_fleet_put_object") && !shown.includes("system_policy_put"));
  assert.deepEqual(engine.visible(asker, names.toReversed(), none), shown.toReversed()); // the order of the question
  assert.deepEqual(engine.visible({ ...asker, principal: stranger }, names, none), ["system_identity_whoami"]);
  // an unconditional forbid hides, one with a condition or for certain resources does not
  const hides = (condition: string, head: string) =>
    !engine.visible(asker, names, own(policy("forbid", "f", condition, head))).includes("system_fleet_put_object");
  const fleet = 'action in Action::"system.fleet.write"';
  assert.ok(hides("", `principal, ${fleet}, resource`));
  assert.ok(hides("", `principal in Role::"agent", ${fleet}, resource`));
  assert.ok(!hides("", `principal in Role::"admin", ${fleet}, resource`));
  assert.ok(!hides("", `principal is Operator, ${fleet}, resource`));
  assert.ok(hides("", `principal is Agent in Role::"agent", ${fleet}, resource`));
  assert.ok(!hides("", `principal is Agent in Role::"admin", ${fleet}, resource`));
  assert.ok(!hides("", `principal, ${fleet}, resource == FleetObject::"Template/x"`));
  assert.ok(!hides('when { resource.labels.hasTag("env") }', `principal, ${fleet}, resource`));
  // so does a rule that forbids always
  const rule: InterventionRule = { id: "r", why: "w", actions: ["system.fleet.write"], outcome: "forbid" };
  const ruled = (changes: Partial<InterventionRule>) =>
    !engine.visible(asker, names, own("", [{ ...rule, ...changes }])).includes("system_fleet_put_object");
  assert.ok(ruled({}));
  assert.ok(!ruled({ when: "context.time.weekday > 5" }));
  assert.ok(!ruled({ resource: "FleetObject" }));
  assert.ok(!ruled({ outcome: "confirm" }));
});

test("who has the same permission set is shown the same; who is named apart, or is of another kind, has another", () => {
  const operator: AuthzPrincipal = { type: "Operator", id: "o1", roles: ["operator"] };
  const askers = [
    agent,
    stranger,
    operator,
    admin,
    { ...agent, id: "agent-2" },
    { ...agent, roles: [...agent.roles, "unheard-of"] },
    { ...agent, roles: [...agent.roles, "auditor"] },
    { ...operator, id: "o2" },
    { ...operator, roles: ["approver", "operator"] },
    { ...operator, roles: ["operator", "approver"] },
    { ...operator, type: "Agent" as const },
    { ...agent, id: "o1" },
  ].flatMap((principal) => ["account-1", "account-2"].map((account) => ({ account, principal })));
  const documents = [
    none,
    own(policy("permit", "open", "", 'principal == Agent::"stranger", action, resource')),
    own(policy("forbid", "shut", "", 'principal in Account::"account-2", action, resource')),
    own(policy("forbid", "shut", "", 'principal is Agent in Role::"auditor", action, resource')),
    own(
      policy(
        "permit",
        "open",
        "when { context.time.weekday > 5 }",
        'principal in Role::"unheard-of", action, resource',
      ),
    ),
  ];
  const shown = new Map<string, string>();
  for (const document of documents)
    for (const asker of askers) {
      const set = `${documents.indexOf(document)} ${engine.permissionSet(asker, document)}`;
      const list = engine.visible(asker, names, document).join();
      assert.equal(shown.get(set) ?? list, list, set);
      shown.set(set, list);
    }
  const setOf = (principal: AuthzPrincipal, document = none, account = "account-1") =>
    engine.permissionSet({ account, principal }, document);
  const named = documents[1] ?? assert.fail();
  assert.equal(setOf(agent), setOf({ ...agent, id: "agent-2" }, none, "account-2"), "nobody tells them apart");
  assert.equal(setOf({ ...agent, id: "other", roles: [] }), setOf(stranger));
  assert.notEqual(setOf({ ...agent, id: "other", roles: [] }, named), setOf(stranger, named));
  assert.notEqual(setOf(operator), setOf({ ...operator, type: "Agent" }));
  assert.notEqual(setOf(operator), setOf({ ...operator, roles: [] }), "a role that was lost");
  assert.notEqual(setOf(agent), setOf(agent, named), "another policy");
});

test("holding a permission means being able to use it, or one below it, for something", () => {
  const holds = (principal: AuthzPrincipal, permission: string, policies = none) =>
    engine.holds({ account: "account-1", principal }, permission, policies);
  assert.ok(holds(admin, "system.approval.decide") && holds(admin, "system.approval") && holds(admin, "system"));
  assert.ok(!holds(agent, "system.approval.decide"));
  assert.ok(holds(agent, "system.approval")); // it may read requests
  assert.ok(!holds(admin, "system.approval.dec") && !holds(admin, "system.unheard"));
  assert.ok(
    !holds(
      admin,
      "system.approval.decide",
      own(policy("forbid", "f", "", 'principal, action in Action::"system.approval.decide", resource')),
    ),
  );
});

test("the permits that cover an action are told, whoever they are for", () => {
  const ids = (action: string, policies = none) => engine.covering(action, policies).map(({ id }) => id);
  assert.deepEqual(ids("system_policy_put"), ["role/admin"]);
  assert.deepEqual(
    ids(
      "system_policy_put",
      own(policy("permit", "more", "", 'principal, action == Action::"system_policy_put", resource')),
    ),
    ["role/admin", "more"],
  );
  assert.deepEqual(ids("unknown"), []);
});

test("rules match calls and never grant them", () => {
  const rules = own("", [
    {
      id: "prod",
      why: "Production needs two.",
      actions: ["system.fleet.write"],
      when: 'resource.labels.hasTag("env") && resource.labels.getTag("env") == "prod"',
      outcome: { approve: 2, holding: "system.approval.decide" },
    },
  ]);
  const prod = { ...template, attributes: { ...template.attributes, labels: { env: "prod" } } };
  assert.equal(engine.authorize(ask({ principal: stranger }), rules).outcome, "not-permitted");
  assert.deepEqual(engine.intervene(ask({ resource: prod }), rules), {
    kind: "approve",
    people: 2,
    holding: ["system.approval.decide"],
    rules: ["prod"],
    because: [{ id: "prod", why: "Production needs two." }],
  });
  assert.equal(engine.intervene(ask(), rules).people, 1); // the action's own risk
});

test("a rule that cannot be evaluated refuses the call", () => {
  const when = "context.input has expectedVersion && context.input.expectedVersion * 4611686018427387904 > 5";
  const rules = own("", [{ id: "sum", why: "w", actions: ["system_fleet_put_object"], when, outcome: "confirm" }]);
  const call = (expectedVersion: number) =>
    ask({ input: { object: { kind: "Template", name: "web", labels: {} }, expectedVersion } });
  assert.throws(() => engine.intervene(call(4), rules), { code: "POLICY_FAILED" });
  assert.equal(engine.intervene(call(0), rules).kind, "approve");
});

test("documents are checked in a thread and kept ready by their hash", async () => {
  const document = policyDocument(policy("forbid", "freeze", "", put));
  const { problems, accepted, compiled: policies } = await engine.check(document);
  assert.deepEqual(problems, []);
  assert.equal(engine.authorize(ask(), policies ?? assert.fail()).outcome, "forbidden");
  assert.deepEqual(
    accepted?.outline.policies.map(({ id, effect }) => [id, effect]),
    [["freeze", "forbid"]],
  );
  const loaded = await engine.own(accepted?.hash ?? "", async () => accepted?.canonical ?? "");
  assert.equal(engine.authorize(ask(), loaded).outcome, "forbidden");
});

test("a rule over a group asks for nothing before its reads, and forbids them where it says so", () => {
  const rule = { id: "r", why: "w", actions: ["system.fleet"] };
  const read = ask({ action: "system_fleet_list_objects", resource: account, input: { limit: 50 } });
  const asked = own("", [{ ...rule, outcome: { approve: 1, holding: "system.approval.decide" } }]);
  assert.equal(engine.intervene(read, asked).kind, "auto");
  assert.equal(engine.intervene(ask(), asked).kind, "approve");
  assert.equal(engine.intervene(read, own("", [{ ...rule, outcome: "forbid" }])).kind, "forbid");
});
