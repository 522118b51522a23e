import type { Caller } from "./caller.ts";
import type { Gate } from "./gate.ts";
import type { RegisteredAction } from "./registry.ts";
import type { Channel } from "./risk.ts";

/** What a caller is shown: actions of this door that are not denied for every input, sorted by name. */
export async function visibleActions(
  gate: Gate,
  caller: Caller,
  channel: Channel,
): Promise<readonly RegisteredAction[]> {
  const permitted = await gate.authorizer.visible(caller);
  return gate.registry.list().filter(({ action }) => action.channels.includes(channel) && permitted.has(action.name));
}
