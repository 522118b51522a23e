import * as z from "zod";
import { operationView } from "../../../contracts/operations/operation.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { exitCodeOf } from "../../exit-codes.ts";
import { runWithConsent } from "../../run-with-consent.ts";
import { onLine } from "../gitops/shown-text.ts";
import { follow } from "./follow.ts";
import { chosenRotation, oneRotation } from "./read-vault.ts";
import { rotationText } from "./rotation-text.ts";

interface Consent {
  readonly yes?: true;
}

const oneOperation = z.object({ operation: operationView });

/** Begins to put old versions out of use. The soak is not waited for: `vault status` tells when it is over. */
export async function finalizeRotation(
  context: CliContext,
  id: string | undefined,
  soakMinutes: number,
  { yes }: Consent,
): Promise<void> {
  const { terminal } = context;
  const hub = connectedHub(context);
  const input = { rotationId: await chosenRotation(hub, id), soakMinutes };
  const consent = { ...(yes && { yes }) };
  const output = await runWithConsent(context, hub, "system_vault_finalize_rotation", input, consent);
  if (!output) return;
  const { rotation } = oneRotation.parse(output);
  terminal.show(rotation, () => rotationText(terminal, rotation));
}

/** Destroys old versions, and follows it to its end. */
export async function trimKeys(
  context: CliContext,
  id: string | undefined,
  accountId: string | undefined,
  { yes }: Consent,
): Promise<void> {
  const { terminal } = context;
  const hub = connectedHub(context);
  const input = { rotationId: await chosenRotation(hub, id), ...(accountId !== undefined && { accountId }) };
  const consent = { ...(yes && { yes }) };
  const output = await runWithConsent(context, hub, "system_vault_trim_key", input, consent);
  if (!output) return;
  const { id: operationId } = oneOperation.parse(output).operation;
  const look = async () => (await hub.output(oneOperation, "system_operations_get", { operationId })).operation;
  const operation = await follow(terminal, look);
  if (operation.error) context.exitCode = exitCodeOf(operation.error.code);
  terminal.show(operation, () => onLine(operation.error?.message ?? operation.progress.sentence));
}
