import { printable } from "./terminal.ts";

/** What a person does after an approved call was carried out, where that is not yet all: the command, and what for. */
export function nextStep(action: string, targetId: string): string | undefined {
  const provide = `npx countersign credentials provide ${printable(targetId)}`;
  if (action === "system_credentials_store")
    return `It has no secret yet. Whoever has that gives it, within half an hour:\n\n  ${provide}\n\nor on the page whose link the one who asked was given.`;
  if (action === "system_credentials_rotate")
    return `The present secret works until a new one is given, within half an hour:\n\n  ${provide}\n\nor on the page whose link the one who asked was given.`;
  return undefined;
}
