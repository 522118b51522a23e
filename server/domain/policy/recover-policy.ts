import { HubError } from "../../errors.ts";
import type { EventWriter } from "../events/event-store.ts";
import { DEFAULT_POLICY } from "./default-document.ts";
import type { PolicyReader, PolicyVersion, PolicyWriter } from "./policy-store.ts";

/** The version that will be replaced. Throws CONFLICT where the document that ships with the hub is in force already. */
export async function replacedByDefault(policy: PolicyReader): Promise<PolicyVersion> {
  const current = await policy.current();
  if (current.hash !== DEFAULT_POLICY.hash) return current;
  const message = `The policy that ships with the hub is in force already, as version ${current.version}.`;
  throw new HubError("CONFLICT", message);
}

/**
 * Puts the document that ships with the hub in force as a new version, whatever the one before says. `by` is the hub's own
 * principal. Throws CONFLICT, VERSION_CONFLICT.
 */
export async function recoverPolicy(
  { policy, events }: { readonly policy: PolicyReader & PolicyWriter; readonly events: EventWriter },
  { accountId, by, callId }: { readonly accountId: string; readonly by: string; readonly callId: string },
): Promise<{ version: number; hash: string; before: { version: number; hash: string } }> {
  const before = await replacedByDefault(policy);
  const { canonical: document, hash } = DEFAULT_POLICY;
  const version = before.version + 1;
  await policy.insert({ version, document, hash, createdBy: by });
  await events.emit(
    { type: "policy.changed", subject: "policy", data: { version, hash, before: before.hash, by } },
    {
      type: "identity.account_recovered",
      subject: `identity/account/${accountId}`,
      data: { what: "policy", callId, by },
    },
  );
  return { version, hash, before: { version: before.version, hash: before.hash } };
}
