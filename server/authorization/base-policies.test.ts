import assert from "node:assert/strict";
import { after, test } from "node:test";
import { actions as registered } from "../../tools/index.ts";
import type { AuthzPrincipal, AuthzRequest, AuthzResource } from "./authz-request.ts";
import { checkBasePolicies, parseBasePolicies, readBasePolicies } from "./base-policies.ts";
import { openEngine } from "./cedar-engine.ts";
import { declaredActions } from "./declared-action.ts";
import { account, ask, compiled, policyDocument, template } from "./fixtures/requests.ts";
import { PolicyEngine } from "./policy-engine.ts";
import type { ResourceType } from "./resource-types.ts";

const actions = declaredActions(registered);
const base = readBasePolicies();
const engine = new PolicyEngine({ actions, base });
after(() => engine.close());
const none = compiled(engine.schema, "");

const principal = (type: AuthzPrincipal["type"], ...roles: string[]): AuthzPrincipal => ({
  ...{ type, id: "me", roles },
  ...(type !== "Service" && { owner: "my-person" }),
});
const resources: Record<ResourceType, AuthzResource> = {
  Account: account,
  Operator: { type: "Operator", id: "o", attributes: { roles: ["operator"] } },
  Agent: { type: "Agent", id: "a", attributes: { roles: ["agent"], owner: "my-person" } },
  Service: { type: "Service", id: "s", attributes: { roles: [] } },
  Token: { type: "Token", id: "t", attributes: { principalId: "somebody", holderIsAdmin: false } },
  PersonKey: { type: "PersonKey", id: "k", attributes: { personId: "my-person" } },
  ApprovalRequest: { type: "ApprovalRequest", id: "r", attributes: { principalId: "somebody" } },
  Receipt: { type: "Receipt", id: "e", attributes: {} },
  Operation: { type: "Operation", id: "operation", attributes: { principalId: "somebody" } },
  Credential: { type: "Credential", id: "forge", attributes: { name: "forge" } },
  GitopsRepository: { type: "GitopsRepository", id: "fleet", attributes: { name: "fleet" } },
  GitopsSyncRun: { type: "GitopsSyncRun", id: "run", attributes: { repository: "fleet" } },
  GitopsProposal: {
    type: "GitopsProposal",
    id: "proposal",
    attributes: { repository: "fleet", riskClass: "changes" },
  },
  FleetObject: template,
};
// of shipped policies one alone reads the input, of simulations
const request = (who: AuthzPrincipal, action: string, more: Partial<AuthzRequest> = {}) => {
  const types = engine.schema.actions.get(action)?.resource ?? assert.fail(`no action ${action}`);
  const type = types.find((name) => name === "Agent") ?? types[0] ?? assert.fail("an action has a resource");
  return ask({ principal: who, action, resource: resources[type], input: { action }, ...more });
};
const permitted = (who: AuthzPrincipal) =>
  actions.map(({ name }) => name).filter((name) => engine.authorize(request(who, name), none).outcome === "permitted");
const short = (names: string[]) => names.map((name) => name.replace("system_", ""));

test("what ships passes the strict check", () => {
  assert.deepEqual(checkBasePolicies(engine.schema, base), []);
  const [first] = base;
  const misspelt = {
    name: "x.cedar",
    text: (first?.text ?? "").replaceAll("system.policy.write", "system.policy.wirte"),
  };
  const problems = checkBasePolicies(engine.schema, [misspelt]);
  assert.equal(problems[0]?.path, "x.cedar");
  assert.match(problems[0]?.message ?? "", /system.policy.wirte/);
});

test("names are unique over all files", () => {
  const [first, ...rest] = base;
  const again = { name: "zz.cedar", text: '@id("base/own-account") @why("x") forbid (principal, action, resource);' };
  assert.match(checkBasePolicies(engine.schema, [...base, again])[0]?.message ?? "", /used twice/);
  const parse = (files: typeof base) => parseBasePolicies(openEngine(), engine.schema, files);
  assert.throws(() => parse([...base, again]), TypeError);
  assert.throws(() => parse([{ name: "x", text: "permit (principal, action" }]), TypeError);
  assert.ok(parse([first ?? assert.fail(), ...rest]).length > 10);
});

test("administrators may do everything in their account", () => {
  assert.equal(permitted(principal("Operator", "admin")).length, actions.length);
});

test("agents read, ask for changes, and withdraw only what they asked for", () => {
  assert.deepEqual(short(permitted(principal("Agent", "agent"))), [
    "approval_get_request",
    "approval_list_requests",
    "backup_list",
    "credentials_delete",
    "credentials_forget",
    "credentials_get_metadata",
    "credentials_list",
    "credentials_provide_secret",
    "credentials_rotate",
    "credentials_store",
    "credentials_test",
    "credentials_update_scope",
    "events_list",
    "fleet_delete_object",
    "fleet_get_object",
    "fleet_list_objects",
    "fleet_put_object",
    "gitops_apply_proposal",
    "gitops_get_drift_report",
    "gitops_get_proposal",
    "gitops_get_repository",
    "gitops_get_sync_run",
    "gitops_list_proposals",
    "gitops_list_repositories",
    "gitops_list_sync_runs",
    "gitops_register_repository",
    "gitops_remove_repository",
    "gitops_run_sync",
    "gitops_sync_repository",
    "identity_whoami",
    "journal_get_receipt",
    "journal_list_receipts",
    "operations_get",
    "operations_list",
    "policy_lint",
    "policy_simulate",
    "vault_finalize_rotation",
    "vault_get_rotation",
    "vault_get_verification",
    "vault_list_accounts",
    "vault_list_batches",
    "vault_list_rotations",
    "vault_pause_rotation",
    "vault_resume_rotation",
    "rotate_vault_transit_pepper",
    "vault_trim_key",
    "vault_verify_credentials",
  ]);
  for (const [action, type] of [
    ["system_approval_cancel_request", "ApprovalRequest"],
    ["system_operations_cancel", "Operation"],
  ] as const) {
    const cancel = (principalId: string) =>
      engine.authorize(
        request(principal("Agent", "agent"), action, { resource: { type, id: "r", attributes: { principalId } } }),
        none,
      ).outcome;
    assert.equal(cancel("me"), "permitted", action);
    assert.equal(cancel("somebody"), "forbidden", action);
  }
});

test("readers, auditors and approvers may what their names say", () => {
  assert.deepEqual(short(permitted(principal("Service", "reader"))), [
    "approval_get_request",
    "approval_list_requests",
    "backup_list",
    "credentials_get_metadata",
    "credentials_list",
    "events_list",
    "fleet_get_object",
    "fleet_list_objects",
    "gitops_get_drift_report",
    "gitops_get_proposal",
    "gitops_get_repository",
    "gitops_get_sync_run",
    "gitops_list_proposals",
    "gitops_list_repositories",
    "gitops_list_sync_runs",
    "identity_whoami",
    "operations_get",
    "operations_list",
    "vault_get_rotation",
    "vault_get_verification",
    "vault_list_accounts",
    "vault_list_batches",
    "vault_list_rotations",
  ]);
  const reads = actions.filter(({ risk }) => risk.effect === "read").map(({ name }) => name);
  assert.deepEqual(permitted(principal("Operator", "auditor")), reads.toSorted());
  const approver = permitted(principal("Operator", "approver"));
  assert.ok(approver.includes("system_approval_decide_request"));
  assert.ok(!approver.some((name) => name.startsWith("system_fleet_put") || name.startsWith("system_identity_create")));
});

test("operators run the house without changing who governs it", () => {
  const may = permitted(principal("Operator", "operator"));
  for (const name of [
    "fleet_put_object",
    "approval_decide_request",
    "identity_issue_token",
    "identity_ban_principal",
  ]) {
    assert.ok(may.includes(`system_${name}`), name);
  }
  for (const name of ["policy_put", "identity_create_principal", "identity_invite_person", "identity_set_profile"]) {
    assert.ok(!may.includes(`system_${name}`), name);
  }
});

test("without a role one may ask who one is", () => {
  assert.deepEqual(short(permitted(principal("Agent"))), ["identity_whoami"]);
  assert.deepEqual(short(permitted(principal("Operator"))), ["identity_whoami"]);
});

test("the hub's own service lets invited people join and walks rotations through; nobody else who is no person does", () => {
  assert.deepEqual(short(permitted(principal("Service", "hub"))), [
    "identity_accept_invitation",
    "vault_check_batch",
    "vault_finish_walk",
    "vault_raise_key_floor",
    "vault_record_account_key",
    "vault_reseal_payloads",
    "vault_rewrap_batch",
    "vault_rotate_account_key",
    "vault_trim_account_key",
    "vault_turn_soak",
  ]);
  const everything = compiled(engine.schema, '@id("all") @why("x") permit (principal, action, resource);');
  const accept = (who: AuthzPrincipal) =>
    engine.authorize(request(who, "system_identity_accept_invitation"), everything).outcome;
  assert.equal(accept(principal("Service", "hub")), "permitted");
  assert.equal(accept(principal("Service", "agent")), "forbidden");
  assert.equal(accept(principal("Agent", "hub")), "forbidden");
});

test("no role makes an agent or a service decide, or manage identities or policy, and no policy of the account's", () => {
  const everything = compiled(engine.schema, '@id("all") @why("x") permit (principal, action, resource);');
  const guarded = [
    "system_approval_decide_request",
    "system_identity_create_principal",
    "system_identity_invite_person",
    "system_identity_issue_token",
    "system_identity_add_key",
    "system_identity_revoke_key",
    "system_identity_revoke_token",
    "system_identity_ban_principal",
    "system_identity_set_profile",
    "system_policy_put",
    "system_gitops_reject_proposal",
  ];
  for (const type of ["Agent", "Service"] as const) {
    for (const name of guarded) {
      const who = principal(type, "admin", "operator", "approver");
      assert.equal(engine.authorize(request(who, name), everything).outcome, "forbidden", `${type} ${name}`);
    }
  }
  for (const name of guarded) {
    assert.equal(engine.authorize(request(principal("Operator"), name), everything).outcome, "permitted", name);
  }
});

test("people list, add and revoke keys of their own; those of others are for administrators to revoke", () => {
  const revoke = (role: string, personId: string) =>
    engine.authorize(
      request(principal("Operator", role), "system_identity_revoke_key", {
        resource: { type: "PersonKey", id: "k", attributes: { personId } },
      }),
      none,
    ).outcome;
  assert.deepEqual([revoke("approver", "my-person"), revoke("operator", "my-person")], ["permitted", "permitted"]);
  assert.deepEqual([revoke("operator", "another"), revoke("admin", "another")], ["forbidden", "permitted"]);
  assert.equal(revoke("reader", "my-person"), "not-permitted");
  const list = (role: string, personId: string) =>
    engine.authorize(request(principal("Operator", role), "system_identity_list_keys", { input: { personId } }), none)
      .outcome;
  assert.deepEqual([list("approver", "my-person"), list("approver", "another")], ["permitted", "not-permitted"]);
  assert.equal(list("auditor", "another"), "permitted");
});

test("a token in another person's name is for administrators to ask for", () => {
  const issue = (role: string, id: string) =>
    engine.authorize(
      request(principal("Operator", role), "system_identity_issue_token", {
        resource: { type: "Operator", id, attributes: { roles: ["reader"] } },
      }),
      none,
    ).outcome;
  assert.equal(issue("operator", "somebody"), "forbidden");
  assert.equal(issue("operator", "me"), "permitted");
  assert.equal(issue("admin", "somebody"), "permitted");
});

test("a token of another person's agent is for administrators to ask for", () => {
  const issue = (role: string, owner: string) => {
    const resource = { type: "Agent", id: "a", attributes: { roles: ["agent"], owner } } as const;
    return engine.authorize(request(principal("Operator", role), "system_identity_issue_token", { resource }), none)
      .outcome;
  };
  assert.equal(issue("operator", "somebody"), "forbidden");
  assert.equal(issue("operator", "my-person"), "permitted");
  assert.equal(issue("admin", "somebody"), "permitted");
});

test("administrators are banned, unbanned and lose tokens by administrators alone", () => {
  const outcome = (role: string, action: string, resource: AuthzResource) =>
    engine.authorize(request(principal("Operator", role), action, { resource }), none).outcome;
  const operator = (...roles: string[]) => ({ type: "Operator", id: "o", attributes: { roles } }) as const;
  for (const action of ["system_identity_ban_principal", "system_identity_unban_principal"]) {
    assert.equal(outcome("operator", action, operator("reader", "admin")), "forbidden", action);
    assert.equal(outcome("operator", action, operator("operator")), "permitted", action);
    assert.equal(outcome("admin", action, operator("admin")), "permitted", action);
  }
  const revoke = (role: string, holderIsAdmin: boolean) =>
    outcome(role, "system_identity_revoke_token", {
      type: "Token",
      id: "t",
      attributes: { principalId: "somebody", holderIsAdmin },
    });
  assert.equal(revoke("operator", true), "forbidden");
  assert.equal(revoke("operator", false), "permitted");
  assert.equal(revoke("admin", true), "permitted");
});

test("agents and services simulate themselves by the policy in force; people also others and other documents", () => {
  const simulate = (who: AuthzPrincipal, more: object) => {
    const input = { action: "system_events_list", input: {}, ...more };
    return engine.authorize(request(who, "system_policy_simulate", { input }), none).outcome;
  };
  const others = [{ as: "0190a1b2-0000-7000-8000-000000000000" }, { document: policyDocument("") }] as const;
  for (const type of ["Agent", "Service"] as const) {
    assert.equal(simulate(principal(type, "agent"), {}), "permitted", type);
    for (const other of others) assert.equal(simulate(principal(type, "agent"), other), "forbidden", type);
  }
  for (const other of others) assert.equal(simulate(principal("Operator", "operator"), other), "permitted");
});

test("an admin's role counts for people alone", () => {
  assert.deepEqual(short(permitted(principal("Agent", "admin"))), ["identity_whoami"]);
  assert.deepEqual(short(permitted(principal("Service", "operator"))), ["identity_whoami"]);
});

test("nobody reaches into another account", () => {
  const list = (id: string) =>
    engine.authorize(
      request(principal("Operator", "admin"), "system_events_list", { resource: { type: "Account", id } }),
      none,
    );
  assert.equal(list("account-1").outcome, "permitted");
  const { outcome, policies } = list("account-2");
  assert.deepEqual([outcome, policies.map(({ id }) => id)], ["forbidden", ["base/own-account"]]);
});
