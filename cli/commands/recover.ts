import { Command } from "commander";
import type { CliContext } from "../context.ts";

const ACCOUNT = ["--account <id>", "another account than the hub's own"] as const;
const WITHOUT = [
  "--without-root-key",
  "as the owner of the tables (COUNTERSIGN_MIGRATION_URL): a hub with the root key records it later",
] as const;
const YES = ["-y, --yes", "do it without asking"] as const;

export function recoverCommand(context: CliContext): Command {
  const command = new Command("recover")
    .description(
      "the way back where nobody can act any more; needs the hub's root key or its tables' owner, and is recorded",
    )
    .addHelpText(
      "after",
      `
For who runs the hub: it passes the account's policy, and needs the root key
file (COUNTERSIGN_ROOT_KEY_FILE) beside the database, or the login of who owns
the database's tables (--without-root-key). Works beside a running hub and
without one. Says what it will do, asks, and leaves receipts (recover_policy,
recover_operator) and an event. Without the root key nothing can be signed: it
leaves a note, which the next hub that has the key puts into the journal
(recover_policy_by_owner, recover_operator_by_owner).`,
    );
  command
    .command("policy")
    .description("put the policy that ships with the hub in force, as a new version")
    .option(...ACCOUNT)
    .option(...WITHOUT)
    .option(...YES)
    .action(async (options: { account?: string; yes?: true; withoutRootKey?: true }) => {
      const { recoverPolicyCommand } = await import("./recover/recover-policy.ts");
      await recoverPolicyCommand(context, options);
    });
  command
    .command("operator")
    .description("let an administrator act again: lift its ban, enrol the key of this config folder, make a token")
    .option("--name <operator>", "which, where there are several")
    .option(...ACCOUNT)
    .option(...WITHOUT)
    .option(...YES)
    .addHelpText(
      "after",
      `
Its person's other signing keys and its other tokens end: nobody knows in whose
hands they are.`,
    )
    .action(async (options: { name?: string; account?: string; yes?: true; withoutRootKey?: true }) => {
      const { recoverOperatorCommand } = await import("./recover/recover-operator.ts");
      await recoverOperatorCommand(context, options);
    });
  return command;
}
