import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthzResource } from "./authz-request.ts";
import { cedarSchema } from "./cedar-schema.ts";
import { allActions } from "./fixtures/actions.ts";
import { account, admin, agent, ask, template } from "./fixtures/requests.ts";
import { sliceOf } from "./request-slice.ts";

const schema = cedarSchema(allActions);
const slice = (changes: Parameters<typeof ask>[0] = {}, readsInput = true) => sliceOf(schema, ask(changes), readsInput);
const resourceOf = (resource: AuthzResource) => slice({ resource }).entities[1];

test("the principal is in its account and in each of its roles", () => {
  const { entities, principal } = slice({ principal: { ...agent, roles: ["agent", "reader"] } });
  assert.deepEqual(principal, { type: "Agent", id: "agent-1" });
  assert.deepEqual(entities[0], {
    uid: { type: "Agent", id: "agent-1" },
    attrs: { account: { type: "Account", id: "account-1" }, id: "agent-1", owner: "person-1" },
    parents: [
      { type: "Account", id: "account-1" },
      { type: "Role", id: "agent" },
      { type: "Role", id: "reader" },
    ],
  });
});

test("a resource is in its account, and a principal asked about also in its roles", () => {
  const parents = [{ type: "Account", id: "account-1" }];
  assert.deepEqual(resourceOf(template), {
    uid: { type: "FleetObject", id: "Template/web" },
    attrs: {
      kind: { type: "FleetKind", id: "Template" },
      name: "web",
      labels: { type: "StringMap", id: "resource.labels" },
    },
    parents,
  });
  assert.deepEqual(resourceOf({ type: "Operator", id: "o", attributes: { roles: ["admin"], owner: "p" } }), {
    uid: { type: "Operator", id: "o" },
    attrs: { account: { type: "Account", id: "account-1" }, id: "o", owner: "p" },
    parents: [...parents, { type: "Role", id: "admin" }],
  });
  const token = { type: "Token", id: "t" } as const;
  assert.deepEqual(resourceOf({ ...token, attributes: { principalId: "p", holderIsAdmin: true } }), {
    uid: token,
    attrs: { principalId: "p", holderIsAdmin: true },
    parents,
  });
  assert.deepEqual(resourceOf(account), { uid: { type: "Account", id: "account-1" }, attrs: {}, parents: [] });
});

test("open maps of strings travel as entities", () => {
  const { maps } = slice();
  assert.deepEqual(
    maps.map(({ uid, tags }) => [(uid as { id: string }).id, tags]),
    [
      ["input.object.labels", { env: "prod" }],
      ["resource.labels", { env: "dev" }],
    ],
  );
  assert.deepEqual(
    slice({}, false).maps.map(({ tags }) => tags),
    [{ env: "dev" }],
  );
});

test("who acts on themselves is one entity, as the caller was identified", () => {
  const { entities, resource } = slice({
    principal: admin,
    resource: { type: "Operator", id: admin.id, attributes: { roles: [] } },
  });
  assert.equal(entities.length, 1);
  assert.deepEqual(entities[0]?.parents.length, 2);
  assert.deepEqual(resource, { type: "Operator", id: admin.id });
});

test("an id that stands for nothing has no data, and known things have all of it", () => {
  const unknown = ["Operator", "Agent", "Service", "Token", "ApprovalRequest", "Receipt"] as const;
  for (const type of unknown) assert.equal(resourceOf({ type, id: "x" })?.parents.length, 1, type);
  const part: [RegExp, AuthzResource][] = [
    [/Agent without roles/, { type: "Agent", id: "x", attributes: { owner: "p" } }],
    [/Token without principalId/, { type: "Token", id: "x", attributes: {} }],
    [/FleetObject without kind/, { type: "FleetObject", id: "x" }],
    [/FleetObject without labels/, { type: "FleetObject", id: "x", attributes: { kind: "Module", name: "m" } }],
    [
      /FleetObject without labels/,
      { type: "FleetObject", id: "x", attributes: { kind: "Module", name: "m", labels: null } },
    ],
    [/FleetObject with colour/, { ...template, attributes: { ...template.attributes, colour: "red" } }],
    [/roles must be an array/, { type: "Agent", id: "x", attributes: { roles: "admin" } }],
    [/roles must be a string/, { type: "Agent", id: "x", attributes: { roles: [1] } }],
    [/resource.labels does not fit/, { ...template, attributes: { ...template.attributes, labels: { a: 1 } } }],
  ];
  for (const [message, resource] of part) assert.throws(() => resourceOf(resource), { name: "TypeError", message });
  assert.ok(resourceOf({ ...template, attributes: { ...template.attributes, owner: null } })); // null is absent
  assert.ok(resourceOf({ type: "Receipt", id: "x", attributes: {} })); // a stranger's refusal has no principal
});

test("the context holds risk, door and time in UTC, and the input where it is read", () => {
  const { context } = slice({ channel: "cli" }, false);
  assert.deepEqual(context, {
    risk: { effect: { type: "Effect", id: "write" }, approval: { type: "Approval", id: "approve" } },
    channel: { type: "Channel", id: "cli" },
    time: { unix: 1795177815, weekday: 5, minuteOfDay: 750 },
  });
  assert.deepEqual(Object.keys(slice().context), ["input", "risk", "channel", "time"]);
  const sunday = slice({ now: new Date("2026-11-22T23:59:59.999Z") }).context["time"];
  assert.deepEqual(sunday, { unix: 1795391999, weekday: 7, minuteOfDay: 1439 });
});

test("an action that nobody declared has no slice", () => {
  assert.throws(() => slice({ action: "system_fleet_put_objects" }), TypeError);
  assert.ok(slice({ action: "system_fleet_put_object" }));
});
