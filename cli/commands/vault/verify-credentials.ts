import type { VerificationView } from "../../../contracts/vault/verification.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { EXIT, exitCodeOf } from "../../exit-codes.ts";
import type { HubClient } from "../../hub-client.ts";
import { table } from "../../terminal.ts";
import { counted, onLine } from "../gitops/shown-text.ts";
import { follow } from "./follow.ts";
import { oneVerification, readVerification, runningOne } from "./read-vault.ts";

/** Begins a verification, or takes up the one that runs, and follows it to its end, which is what the exit code tells. */
export async function verifyCredentials(context: CliContext, { detach }: { readonly detach?: true }): Promise<void> {
  const { terminal } = context;
  const hub = connectedHub(context);
  const id = await begin(context, hub);
  const look = () => readVerification(hub, id);
  const verification = detach ? await look() : await follow(terminal, look);
  context.exitCode = exitOf(verification);
  terminal.show(verification, () => verificationText(verification));
}

async function begin(context: CliContext, hub: HubClient): Promise<string> {
  try {
    const { output } = await hub.done("system_vault_verify_credentials", {});
    return oneVerification.parse(output).verification.id;
  } catch (error) {
    const id = runningOne(error);
    if (id === undefined) throw error;
    context.terminal.note(`A verification is under way. Following that one: ${onLine(id)}`);
    return id;
  }
}

function exitOf({ state, error, failed, unreached }: VerificationView): number {
  if (failed > 0) return EXIT.unverified;
  if (state === "failed") return exitCodeOf(error?.code ?? "");
  return state === "cancelled" || unreached.length > 0 ? EXIT.failed : EXIT.ok;
}

function verificationText(view: VerificationView): string {
  const { id, state, error, progress, accounts, checked, opened, waiting, failed, findings, unreached } = view;
  return table([
    ["verification", id],
    ["state", state],
    ["", onLine(error ? `${error.code}: ${error.message}` : progress.sentence)],
    ["credentials", `${checked} of ${counted(accounts, "account")}`],
    ["", `${opened} decrypted, ${waiting} waiting for a secret, ${failed} failed`],
    ...findings.map((one) => [onLine(one.code), `credential ${one.credentialId} of account ${one.accountId}`]),
    ...unreached.map((one) => [onLine(one.code), `account ${one.accountId} was not looked at`]),
  ]);
}
