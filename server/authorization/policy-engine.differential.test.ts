/**
 * Random policies and calls: the engine (sets asked apart, policies by action, narrowed context, memory, heads without
 * evaluation) must say what Cedar says when it gets everything at once. The seed is fixed.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../contracts/formats/canonical-json.ts";
import type { AuthzPrincipal, AuthzRequest, AuthzResource } from "./authz-request.ts";
import { type CedarEngine, type EntityJson, openEngine } from "./cedar-engine.ts";
import { type CedarSchema, cedarSchema } from "./cedar-schema.ts";
import { checkPolicies } from "./check-policies.ts";
import { allActions, gatewayInput } from "./fixtures/actions.ts";
import { ask, compiled, putInput } from "./fixtures/requests.ts";
import type { OwnPolicies } from "./own-policies.ts";
import { PolicyEngine } from "./policy-engine.ts";

const ROUNDS = 20;
const CALLS = 30;
const ACTIONS = ["system_gateway_call", "system_fleet_put_object"];

/** Mulberry32. */
function random(seed: number) {
  let state = seed;
  const below = (n: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
  return { below, pick: <T>(choices: readonly T[]): T => choices[below(choices.length)] as T };
}
type Random = ReturnType<typeof random>;

const EITHER = [
  'context.channel == Channel::"cli"',
  "context.time.weekday > 5",
  "context.time.minuteOfDay < 600",
  'context.risk.effect == Effect::"external"',
  "context == context",
  'resource.labels.hasTag("env") && resource.labels.getTag("env") == "prod"',
  "resource has owner",
  'resource has owner && resource.owner == "repo"',
  'resource.kind == FleetKind::"Module"',
  "resource in principal.account",
  "principal has owner && principal.owner == principal.id",
  'principal in Role::"r2"',
  'principal is Agent in Role::"r1"',
  'action in Action::"effect:write"',
];
const GATEWAY = [
  "context.input.count > 3",
  "context.input.count * 4611686018427387904 > 5",
  "context.input.dry",
  "context.input has note",
  'context.input has note && context.input.note like "a*"',
  'context.input.mode == SystemGatewayCallMode::"force"',
  "context has input.owner",
  'context.input.labels.hasTag("env") && context.input.labels.getTag("env") == "prod"',
  'context.input.url.host == "h"',
  "context.input.url has port && context.input.url.port > 80",
  'context.input.tags.items.contains("a") || context.input.rows.count == 0',
  "context.input.nested has replicas && context.input.nested.replicas > 1",
  'context.input has ip && context.input.ip.isInRange(ip("10.0.0.0/8"))',
  'context.input.at > datetime("2026-06-01")',
  'context.input.ratio == "0.5"',
  "{Value: context.input.count > 3, has: context.input.dry}.Value",
];
const PUT = [
  'context.input.object.labels.hasTag("env")',
  'context.input.object.labels.hasTag("env") && context.input.object.labels.getTag("env") == "prod"',
  "context.input has expectedVersion",
  "context.input has expectedVersion && context.input.expectedVersion * 4611686018427387904 > 5",
  'context.input.object.name like "w*"',
];

function condition({ below, pick }: Random, atoms: readonly string[], depth = 0): string {
  if (depth > 1 || below(3) === 0) return `(${pick(atoms)})`;
  const next = () => condition({ below, pick }, atoms, depth + 1);
  return pick([
    () => `(${next()} && ${next()})`,
    () => `(${next()} || ${next()})`,
    () => `!${next()}`,
    () => `(if ${next()} then ${next()} else ${next()})`,
  ])();
}

function randomPolicy(r: Random, id: string): string {
  const [action, atoms] = r.pick([
    ['action == Action::"system_gateway_call"', [...EITHER, ...GATEWAY]],
    ['action in [Action::"system.gateway"]', [...EITHER, ...GATEWAY]],
    ['action in Action::"system.fleet.write"', [...EITHER, ...PUT]],
    ['action in [Action::"effect:external", Action::"system.fleet.write"]', EITHER],
  ] as const);
  const principal = r.pick(["", " is Agent", ' in Role::"r1"', ' is Agent in Role::"r2"', ' == Operator::"p1"']);
  const resource = r.pick(["", " is FleetObject", ' in Account::"account-1"', ' == FleetObject::"Module/x"']);
  const clause = r.pick(["", "when", "when", "unless"]);
  const body = clause === "" ? "" : `${clause} { ${condition(r, atoms)} }`;
  return `@id("${id}") @why("-") ${r.pick(["permit", "permit", "forbid"])} (principal${principal}, ${action}, resource${resource}) ${body};`;
}

/** A request, and the entities that a careful reader of it would write down. */
function randomCall(r: Random): { request: AuthzRequest; entities: EntityJson[] } {
  const principal: AuthzPrincipal = {
    type: r.pick(["Agent", "Operator"] as const),
    id: r.pick(["p1", "p2"]),
    roles: r.pick([[], ["r1"], ["r2"], ["r1", "r2"]]),
    ...r.pick([{}, { owner: "p1" }]),
  };
  const labels = r.pick([{}, { env: "prod" }, { env: "dev" }]);
  const kind = r.pick(["Module", "Template"]);
  const owner: { owner?: string } = r.pick([{}, { owner: "repo" }, { owner: "other" }]);
  const resource: AuthzResource = {
    type: "FleetObject",
    id: `${kind}/x`,
    attributes: { kind, name: "x", labels, ...owner },
  };
  const gateway = {
    ...gatewayInput,
    count: r.pick([1, 2, 4]),
    dry: r.pick([true, false]),
    mode: r.pick(["soft", "force"]),
    owner: r.pick([null, "o"]),
    tags: r.pick([[], ["a"]]),
    rows: r.pick([[], [{ a: 1, labels: {} }]]),
    nested: r.pick([{ region: "eu" }, { region: "eu", replicas: 3 }]),
    labels: r.pick([{}, { env: "prod" }, { env: "dev" }]),
    url: r.pick(["https://h/x", "https://i:99/"]),
    ip: r.pick([null, "10.1.2.3", "11.0.0.1"]),
    at: r.pick(["2026-11-20T10:00:00Z", "2026-01-20T10:00:00Z"]),
    ...r.pick([{}, { note: "abc" }, { note: "b" }]),
  };
  const put = { ...putInput, ...r.pick([{}, { expectedVersion: 1 }, { expectedVersion: 4 }]) };
  const action = r.pick(ACTIONS);
  const request = ask({
    principal,
    resource,
    action,
    input: (action === "system_gateway_call" ? gateway : put) as unknown as Json,
    channel: r.pick(["mcp", "cli"]),
    now: r.pick([new Date("2026-11-20T12:30:00Z"), new Date("2026-11-21T03:00:00Z")]),
  });
  const account = { type: "Account", id: "account-1" };
  const entities: EntityJson[] = [
    { uid: account, attrs: {}, parents: [] },
    {
      uid: { type: principal.type, id: principal.id },
      attrs: { account, id: principal.id, ...(principal.owner === undefined ? {} : { owner: principal.owner }) },
      parents: [account, ...principal.roles.map((id) => ({ type: "Role", id }))],
    },
    {
      uid: { type: "FleetObject", id: resource.id },
      attrs: {
        kind: { type: "FleetKind", id: kind },
        name: "x",
        labels: { type: "StringMap", id: "of resource" },
        ...owner,
      },
      parents: [account],
    },
    { uid: { type: "StringMap", id: "of resource" }, attrs: {}, parents: [], tags: labels },
  ];
  return { request, entities };
}

/** Everything at once: one set, the whole schema, the whole context. */
function reference(engine: CedarEngine, schema: CedarSchema, request: AuthzRequest, entities: EntityJson[]) {
  const { input, maps } = schema.project(request.action, request.input);
  const risk = schema.actions.get(request.action)?.risk ?? assert.fail("a declared action");
  const answer = engine.statefulIsAuthorized({
    principal: { type: request.principal.type, id: request.principal.id },
    action: { type: "Action", id: request.action },
    resource: { type: request.resource.type, id: request.resource.id },
    context: {
      input,
      risk: { effect: { type: "Effect", id: risk.effect }, approval: { type: "Approval", id: risk.approval } },
      channel: { type: "Channel", id: request.channel },
      time: {
        unix: request.now.getTime() / 1000,
        weekday: request.now.getUTCDay(), // neither of the days is a Sunday
        minuteOfDay: request.now.getUTCHours() * 60 + request.now.getUTCMinutes(),
      },
    },
    entities: [...entities, ...maps],
    preparsedPolicySetId: "all",
    preparsedSchemaName: "whole",
    validateRequest: true,
  });
  if (answer.type === "failure") assert.fail(answer.errors.map(({ message }) => message).join());
  const { decision, diagnostics } = answer.response;
  if (diagnostics.errors.length > 0) return { outcome: "failed" };
  const outcome = decision === "allow" ? "permitted" : diagnostics.reason.length > 0 ? "forbidden" : "not-permitted";
  return { outcome, policies: diagnostics.reason.toSorted() };
}

test("says what Cedar says when it gets everything at once", async () => {
  const r = random(20_261_120);
  const schema = cedarSchema(allActions);
  const engine = openEngine();
  assert.equal(engine.preparseSchema("whole", schema.json).type, "success");
  const tally: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; ) {
    const base = Array.from({ length: 4 }, (_, index) => randomPolicy(r, `b${index}`)).join("\n");
    const own = Array.from({ length: 3 }, (_, index) => randomPolicy(r, `o${index}`)).join("\n");
    const sound = [base, own].every((text) => checkPolicies(schema, "random", text).problems.length === 0);
    if (!sound) continue; // "can never apply"
    round++;
    const hub = new PolicyEngine({ actions: allActions, base: [{ name: "base.cedar", text: base }] });
    const policies: OwnPolicies = compiled(schema, own);
    assert.equal(engine.preparsePolicySet("all", { staticPolicies: named(`${base}\n${own}`, engine) }).type, "success");
    for (let call = 0; call < CALLS; call++) {
      const { request, entities } = randomCall(r);
      const expected = reference(engine, schema, request, entities);
      const told = () => hub.authorize(request, policies);
      const { outcome, policies: deciding } = told();
      const ids = deciding.map(({ id }) => id).toSorted();
      assert.deepEqual(outcome === "failed" ? { outcome } : { outcome, policies: ids }, expected, `${base}\n${own}`);
      assert.deepEqual(told(), { ...told() }); // from memory, the same
      if (outcome === "permitted") assert.deepEqual(hub.visible(request, [request.action], policies), [request.action]);
      tally[outcome] = (tally[outcome] ?? 0) + 1;
    }
  }
  // the comparison means something: every outcome came up often
  for (const outcome of ["permitted", "forbidden", "not-permitted", "failed"]) {
    assert.ok((tally[outcome] ?? 0) > 10, JSON.stringify(tally));
  }
});

function named(text: string, engine: CedarEngine): Record<string, string> {
  const parts = engine.policySetTextToParts(text);
  if (parts.type === "failure") assert.fail("the texts were checked before");
  return Object.fromEntries(parts.policies.map((part) => [/@id\("([^"]*)"\)/.exec(part)?.[1] ?? "", part]));
}
