import { eventStore } from "../../../server/adapters/postgres/event-store.ts";
import { policyStore } from "../../../server/adapters/postgres/policy-store.ts";
import { recoverPolicy, replacedByDefault } from "../../../server/domain/policy/recover-policy.ts";
import type { CliContext } from "../../context.ts";
import { printable } from "../../terminal.ts";
import { agree } from "./agree.ts";
import { openRecoverable, receiptInWords } from "./open-recoverable.ts";

/** Puts the policy that ships with the hub in force. */
export async function recoverPolicyCommand(
  context: CliContext,
  options: { account?: string; yes?: true; withoutRootKey?: true },
): Promise<void> {
  const { terminal } = context;
  await using account = await openRecoverable(context, options);
  const { version } = await account.database.read(account.id, (session) => replacedByDefault(policyStore(session)));
  const plan = [
    `Puts the policy that ships with the hub in force as version ${version + 1}: each action's own risk, no rules`,
    `and no policies of the account's. Version ${version} stays on record (npx countersign policy show).`,
  ];
  await agree(terminal, account, plan, options);
  const { output, receipt } = await account.change({
    action: "recover_policy",
    input: { baseVersion: version },
    target: { type: "Account", id: account.id },
    effect: (session, { callId }) =>
      recoverPolicy(
        { policy: policyStore(session), events: eventStore(session) },
        { accountId: account.id, by: account.hubPrincipalId, callId },
      ),
  });
  terminal.show({ ...output, accountId: account.id, receipt }, () =>
    printable(
      `Policy version ${output.version} is in force, from the next call on. ${receiptInWords(account, receipt)}`,
    ),
  );
}
