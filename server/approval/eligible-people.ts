import { peopleNeeded } from "../../contracts/approval/request.ts";
import { type Approvers, DECIDE } from "../action/approvers.ts";
import { exclusion, filled, needsInWords, type Rules, type Voice } from "../domain/approvals/agreement.ts";
import type { Candidate } from "../domain/approvals/approval-store.ts";
import { HubError } from "../errors.ts";

/**
 * Refuses at once what could never be agreed to: fewer people with a live key, an operator that is not banned and the
 * permissions asked for than have to agree. Throws APPROVERS_MISSING, which says how to invite.
 */
export function refuseWithoutApprovers(approvers: Approvers, rules: Rules, candidates: readonly Candidate[]): void {
  const people = eligible(approvers, rules, candidates);
  const needed = peopleNeeded(rules);
  const found = filled(rules, people);
  if (found >= needed) return;
  const details = { needed, found, holding: rules.holding };
  if (rules.profile === "solo") {
    throw new HubError(
      "APPROVERS_MISSING",
      `This call needs ${needsInWords(rules)}, and nobody here can sign: enrol a key of the operator's first (npx countersign start does).`,
      { details },
    );
  }
  const have =
    people.length === 0
      ? "nobody here"
      : people.length === 1
        ? "only one person here"
        : `only ${people.length} people here`;
  const roles =
    rules.holding.length > 0
      ? ` and give them roles that hold ${rules.holding.join(" and ")}`
      : " and give them the role approver";
  throw new HubError(
    "APPROVERS_MISSING",
    `This call needs ${needsInWords(rules)}, and ${have} could decide. Invite people with \`npx countersign invite\` (system_identity_invite_person)${roles}.`,
    { details },
  );
}

/** One voice a person, with what any of their operators holds. */
function eligible(approvers: Approvers, rules: Rules, candidates: readonly Candidate[]): Voice[] {
  const holding = new Map<string, Set<string>>();
  for (const { personId, roles } of candidates) {
    if (exclusion(rules, personId) !== undefined || !approvers.rolesHold(roles, DECIDE)) continue;
    const held = rules.holding.filter((permission) => approvers.rolesHold(roles, permission));
    holding.set(personId, new Set([...(holding.get(personId) ?? []), ...held]));
  }
  return [...holding].map(([personId, held]) => ({ personId, assurance: "signed", holding: [...held] }));
}
