import { type CliContext, connectedHub } from "../../context.ts";
import { printable } from "../../terminal.ts";
import { chosenRotation } from "./read-vault.ts";
import { followRotation } from "./rotate-keys.ts";

export async function pauseRotation(context: CliContext, id: string | undefined): Promise<void> {
  const hub = connectedHub(context);
  const rotationId = await chosenRotation(hub, id);
  const { output, summary } = await hub.done("system_vault_pause_rotation", { rotationId });
  context.terminal.show(output, () => printable(summary));
}

export async function resumeRotation(
  context: CliContext,
  id: string | undefined,
  options: { readonly detach?: true },
): Promise<void> {
  const hub = connectedHub(context);
  const rotationId = await chosenRotation(hub, id);
  await hub.done("system_vault_resume_rotation", { rotationId });
  await followRotation(context, hub, rotationId, options);
}
