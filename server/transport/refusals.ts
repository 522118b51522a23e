import type { Channel } from "../action/risk.ts";
import type { ErrorCode, HubError } from "../errors.ts";
import type { Exchange } from "./exchange.ts";
import type { HubDoor } from "./hub-door.ts";

/**
 * What a door refuses by itself and somebody may want to know of later. Who it is was recorded by who identified them;
 * a hub that is full or stopping says so to the log alone, since the record of each would be one more thing to do.
 */
const RECORDED: ReadonlySet<ErrorCode> = new Set([
  "ORIGIN_REFUSED",
  "INPUT_INVALID",
  "INPUT_TOO_LARGE",
  "MEDIA_TYPE_UNSUPPORTED",
  "NOT_FOUND",
]);

/** Records the refusal of an exchange that never reached the gate. */
export function recordRefusal(door: HubDoor, exchange: Exchange, error: HubError, channel: Channel): void {
  if (!RECORDED.has(error.code)) return;
  const { caller, traceId } = exchange;
  door.refuse(error, { channel, traceId, ...(caller && { caller }) });
}
