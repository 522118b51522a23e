import type { PolicyDocument } from "../../../contracts/policy/policy-document.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { EventWriter } from "../events/event-store.ts";
import { diffPolicy } from "./diff-policy.ts";
import { type AcceptedPolicy, acceptedOrThrow, type PolicyChecker } from "./policy-checker.ts";
import type { PolicyReader, PolicyVersion, PolicyWriter } from "./policy-store.ts";

export interface PutPolicyInput {
  readonly document: PolicyDocument;
  /** The version that the caller changed. */
  readonly baseVersion: number;
}

/** Puts a new version in force. Throws POLICY_INVALID, VERSION_CONFLICT. */
export async function putPolicy(
  tx: { policy: PolicyReader & PolicyWriter; events: EventWriter },
  checker: PolicyChecker,
  input: PutPolicyInput,
  createdBy: string,
): Promise<{ version: number; hash: string }> {
  const { current, accepted } = await accept(tx.policy, checker, input);
  const version = current.version + 1;
  await tx.policy.insert({ version, document: accepted.canonical, hash: accepted.hash, createdBy });
  await tx.events.emit({
    type: "policy.changed",
    subject: "policy",
    data: { version, hash: accepted.hash, before: current.hash, by: createdBy },
  });
  return { version, hash: accepted.hash };
}

/** What approvers see: which rules and policies come, go or change, in their own words. */
export async function previewPolicy(
  policies: PolicyReader,
  checker: PolicyChecker,
  input: PutPolicyInput,
  asker: string,
): Promise<Preview> {
  const { current, accepted } = await accept(policies, checker, input);
  const before = acceptedOrThrow(await checker.check(JSON.parse(current.document)));
  return {
    headline: `${asker} asks to put policy version ${current.version + 1} in force instead of version ${current.version}`,
    changes: diffPolicy(before.outline, accepted.outline),
  };
}

async function accept(
  policies: PolicyReader,
  checker: PolicyChecker,
  input: PutPolicyInput,
): Promise<{ current: PolicyVersion; accepted: AcceptedPolicy }> {
  const current = await policies.current();
  if (current.version !== input.baseVersion)
    throw new HubError(
      "VERSION_CONFLICT",
      `The policy is in version ${current.version}, not ${input.baseVersion}: somebody changed it.`,
      { path: "baseVersion", details: { found: current.version } },
    );
  const accepted = acceptedOrThrow(await checker.check(input.document));
  if (accepted.hash === current.hash)
    throw new HubError("CONFLICT", "This is the policy in force already.", { path: "document" });
  return { current, accepted };
}
