import type { Caller } from "../action/caller.ts";
import type { Channel } from "../action/risk.ts";
import { type ErrorCode, HubError, toHubError } from "../errors.ts";
import { bearerToken } from "./bearer-token.ts";
import type { Exchange } from "./exchange.ts";
import type { HubDoor } from "./hub-door.ts";
import { RefusalRate } from "./refusal-rate.ts";

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

/** Milliseconds between two lines of the log about refusals that were not recorded. */
const TOLD_EVERY_MS = 1000;

/** The refusal of a stranger who has been refused too often: 429, where a hub that is full says 503. */
export class TooManyRefusals extends HubError {
  constructor() {
    super("OVERLOADED", "Too many requests were refused here; call again in a moment.");
  }
}

/** Records what the door refuses: of callers each, of strangers no more than the journal should take from them. */
export class Refusals {
  readonly #door: HubDoor;
  readonly #rate = new RefusalRate();
  #untold = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(door: HubDoor) {
    this.#door = door;
  }

  /** Who calls. Throws what `HubDoor.identify` does, and OVERLOADED in its place where it went unrecorded. */
  async identify(exchange: Exchange, channel: Channel): Promise<Caller> {
    let over = false;
    const mayRecord = () => {
      over = !this.#take(exchange);
      return !over;
    };
    try {
      const token = bearerToken(exchange.request.headers.authorization);
      exchange.caller = await this.#door.identify(token, channel, mayRecord);
      return exchange.caller;
    } catch (error) {
      throw over ? new TooManyRefusals() : error;
    }
  }

  /** Records the refusal of an exchange that never reached the gate; what it is to be answered with. */
  record(exchange: Exchange, thrown: unknown, channel: Channel): HubError {
    const error = toHubError(thrown);
    if (!RECORDED.has(error.code)) return error;
    const { caller, traceId } = exchange;
    if (caller === undefined && !this.#take(exchange)) return new TooManyRefusals();
    this.#door.refuse(error, { channel, traceId, ...(caller && { caller }) });
    return error;
  }

  #take({ request }: Exchange): boolean {
    const from = request.socket.remoteAddress ?? "";
    if (this.#rate.take(from)) return true;
    this.#untold++;
    const now = performance.now();
    if (now - this.#toldAt >= TOLD_EVERY_MS) {
      this.#door.log.warn({ from, refused: this.#untold }, "refusals of strangers were not recorded: too many");
      this.#toldAt = now;
      this.#untold = 0;
    }
    return false;
  }
}
