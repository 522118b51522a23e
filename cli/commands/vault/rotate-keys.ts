import type { RotationView } from "../../../contracts/vault/rotation.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { EXIT, exitCodeOf } from "../../exit-codes.ts";
import type { HubClient } from "../../hub-client.ts";
import { runWithConsent } from "../../run-with-consent.ts";
import { onLine } from "../gitops/shown-text.ts";
import { follow } from "./follow.ts";
import { oneRotation, readRotation, runningOne } from "./read-vault.ts";
import { resumeCommand, rotationText } from "./rotation-text.ts";

interface RotateOptions {
  readonly yes?: true;
  readonly detach?: true;
}

/** Begins a rotation, or takes up the one that runs, and follows it to its end, which is what the exit code tells. */
export async function rotateKeys(context: CliContext, rate: number | undefined, options: RotateOptions): Promise<void> {
  const hub = connectedHub(context);
  const rotationId = await begin(context, hub, rate, options);
  if (rotationId !== undefined) await followRotation(context, hub, rotationId, options);
}

/** Until it is over or paused. */
export async function followRotation(
  context: CliContext,
  hub: HubClient,
  rotationId: string,
  { detach }: Pick<RotateOptions, "detach">,
): Promise<void> {
  const { terminal } = context;
  const look = () => readRotation(hub, rotationId);
  const rotation = detach ? await look() : await follow(terminal, look, ({ paused }) => paused);
  context.exitCode = exitOf(rotation);
  // its words say so too
  if (rotation.paused && terminal.json) terminal.note(resumeCommand(rotation));
  terminal.show(rotation, () => rotationText(terminal, rotation));
}

async function begin(
  context: CliContext,
  hub: HubClient,
  ratePerSecond: number | undefined,
  { yes }: RotateOptions,
): Promise<string | undefined> {
  const input = { ...(ratePerSecond !== undefined && { ratePerSecond }) };
  try {
    const consent = { ...(yes && { yes }) };
    const output = await runWithConsent(context, hub, "system_rotate_vault_transit_pepper", input, consent);
    return output && oneRotation.parse(output).rotation.id;
  } catch (error) {
    const id = runningOne(error);
    if (id === undefined) throw error;
    context.terminal.note(`A rotation is under way. Following that one: ${onLine(id)}`);
    return id;
  }
}

/** What is paused is not done, whoever paused it. */
function exitOf({ state, paused, error, failed, accounts }: RotationView): number {
  if (state === "failed") return exitCodeOf(error?.code ?? "");
  if (paused || state === "cancelled" || failed > 0 || accounts.failed > 0) return EXIT.failed;
  return EXIT.ok;
}
