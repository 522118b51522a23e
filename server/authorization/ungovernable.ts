/**
 * Documents under which an account could not be governed any more: they are well formed, and with one of them in force
 * nobody could put another. Asked with a model of an administrator, since a document is checked apart from any account;
 * what a document says of one real person or account by other means than `Operator::"<id>"` is beyond it.
 */
import type { InterventionRule } from "../../contracts/policy/policy-document.ts";
import type { Decision } from "../action/authorizer.ts";
import type { Channel } from "../action/risk.ts";
import type { Intervention } from "../approval/intervention.ts";
import type { PolicyProblem } from "../domain/policy/policy-checker.ts";
import type { AuthzRequest } from "./authz-request.ts";
import type { OwnPolicies } from "./own-policies.ts";

/** The part of the policy engine that is asked. */
interface Judge {
  readonly schema: { readonly actions: ReadonlyMap<string, unknown> };
  authorize(request: AuthzRequest, own: OwnPolicies): Decision;
  intervene(request: AuthzRequest, own: OwnPolicies): Intervention;
  holds(asker: Pick<AuthzRequest, "account" | "principal">, permission: string, own: OwnPolicies): boolean;
}

const PUT = "system_policy_put";
const DECIDE = "system_approval_decide_request";
const ACCOUNT = "account";
const MODEL = "administrator";
/** Bounds what a document can make the check cost. */
const MOST_NAMED = 3;
const ROLES = [["admin"], ["admin", "operator", "approver"]];
const HOUR_MS = 3_600_000;
/** A Monday. A policy that closes the night or the weekend leaves other hours: these cover each day, every six hours from three on. */
const HOURS = Array.from({ length: 28 }, (_, index) => new Date(Date.UTC(2026, 0, 5, 3) + index * 6 * HOUR_MS));
const DOORS: readonly Channel[] = ["cli", "http", "mcp"];

/** Empty where an administrator could replace the document, and somebody could decide on requests. */
export function ungovernable(judge: Judge, own: OwnPolicies): PolicyProblem[] {
  if (!judge.schema.actions.has(PUT) || !judge.schema.actions.has(DECIDE)) return [];
  const agreed = [...own.ruleById.values()].flatMap((rule, index) => decisionProblem(own, rule, index));
  if (agreed.length > 0) return agreed;
  const principals = modelsOf(own);
  const problems: PolicyProblem[] = [];
  if (!possible(judge, own, principals, putBy)) {
    problems.push(problem("under this document no administrator could ever put another one in force"));
  }
  if (!possible(judge, own, principals, decideBy)) {
    problems.push(problem("under this document nobody could ever decide on a request for approval"));
  }
  return problems;
}

function problem(message: string): PolicyProblem {
  const help = `leave ${PUT} and ${DECIDE} to somebody who administers the account`;
  return { path: "", message, help };
}

/** To agree to a decision would take a decision. */
function decisionProblem(own: OwnPolicies, rule: InterventionRule, index: number): PolicyProblem[] {
  const covers = own.rules.policies.get(rule.id)?.scope.actions.has(DECIDE) ?? false;
  if (!covers || rule.loosens || rule.outcome === "auto") return [];
  const message = `the rule covers ${DECIDE}, and deciding on a request can neither wait for agreement nor be refused by a rule`;
  const help = "name permissions that leave system.approval.decide out";
  return [{ path: `intervention.rules[${index}]`, policy: rule.id, message, help }];
}

type Call = Pick<AuthzRequest, "action" | "resource" | "input">;

const putBy: Call = {
  action: PUT,
  resource: { type: "Account", id: ACCOUNT },
  input: { baseVersion: 1 },
};
const decideBy: Call = {
  action: DECIDE,
  resource: { type: "ApprovalRequest", id: "request", attributes: { principalId: "somebody" } },
  input: { requestId: "request", decision: "approve" },
};

/** Whether any of the models may, at some hour and through some door, and what the rules ask for can be had. */
function possible(
  judge: Judge,
  own: OwnPolicies,
  principals: readonly AuthzRequest["principal"][],
  call: Call,
): boolean {
  const hours = reads(own, call.action, "time") ? HOURS : HOURS.slice(1, 2);
  const doors = reads(own, call.action, "channel") ? DOORS : DOORS.slice(0, 1);
  return hours.some((now) =>
    doors.some((channel) =>
      principals.some((principal) => {
        const request: AuthzRequest = { account: ACCOUNT, principal, channel, now, ...call };
        if (judge.authorize(request, own).outcome !== "permitted") return false;
        const { kind, holding } = judge.intervene(request, own);
        return kind !== "forbid" && holding.every((permission) => judge.holds(request, permission, own));
      }),
    ),
  );
}

function reads(own: OwnPolicies, action: string, part: string): boolean {
  const sets = [own.policies, own.rules];
  return sets.some((set) => set.byAction.get(action)?.reads.some(([first]) => first === undefined || first === part));
}

/** An administrator, one with all roles that decide, and those whom the document itself names. */
function modelsOf(own: OwnPolicies): AuthzRequest["principal"][] {
  const texts = [...own.policies.policies.values(), ...own.rules.policies.values()].map(({ text }) => text);
  const named = texts.flatMap((text) => [...text.matchAll(/Operator::"([^"\\]{1,64})"/g)].map(([, id]) => id ?? ""));
  const ids = [MODEL, ...[...new Set(named)].slice(0, MOST_NAMED)];
  return ids.flatMap((id) => ROLES.map((roles) => ({ type: "Operator" as const, id, roles, owner: "person" })));
}
