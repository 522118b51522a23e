import type { Done } from "../../action/action-request.ts";
import { HubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import { requestOf } from "./action-tool.ts";
import type { DoorCall } from "./catalogue.ts";

/**
 * Reads through the gate, in the caller's name: what shows a chat something is authorised and recorded as the tool that
 * answers the same. Throws what the gate throws.
 */
export async function readAction(
  door: HubDoor,
  call: DoorCall,
  action: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Done> {
  const result = await door.run(requestOf(action, input, call));
  if (result.status !== "done") throw new Error(`cannot happen: ${action}, a read, waits for somebody`);
  return result;
}

/** The rows of a list action; none where this caller may not ask for them. */
export async function readRows(
  door: HubDoor,
  call: DoorCall,
  action: string,
  input: Readonly<Record<string, unknown>>,
): Promise<{ readonly items: readonly unknown[]; readonly next?: string }> {
  const done = await unlessForbidden(readAction(door, call, action, input));
  return (done?.output ?? { items: [] }) as { items: readonly unknown[]; next?: string };
}

/** For what belongs beside an answer, where the policy of the account decides whether it does. */
export async function unlessForbidden<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof HubError && error.code === "FORBIDDEN") return undefined;
    throw error;
  }
}
