import type { Caller } from "../action/caller.ts";
import type { Channel } from "../action/risk.ts";
import { type ErrorCode, HubError, toHubError } from "../errors.ts";
import { bearerToken } from "./bearer-token.ts";
import type { Exchange } from "./exchange.ts";
import type { HubDoor } from "./hub-door.ts";
import type { RateLimits } from "./rate-limits.ts";
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
  "RATE_LIMITED",
]);

/** Receipts of a principal who calls too often, and of all such principals together. */
const FLOODS = { ofOne: { burst: 10, perSecond: 1 }, ofAll: { burst: 100, perSecond: 20 } };

/** Milliseconds between two lines of the log about refusals that were not recorded. */
const TOLD_EVERY_MS = 1000;

/** In place of a refusal that is one too many to be recorded. */
class TooManyRefusals extends HubError {
  constructor() {
    const details = { retryAfterSeconds: 1 };
    super("RATE_LIMITED", "Too many requests were refused here; call again in a moment.", { details });
  }
}

/** Says who calls, and records what the door refuses: no more of it than the journal should take from one source. */
export class Refusals {
  readonly #door: HubDoor;
  readonly #limits: RateLimits;
  readonly #ofStrangers = new RefusalRate();
  readonly #ofFloods = new RefusalRate(FLOODS);
  #untold = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(door: HubDoor, limits: RateLimits) {
    this.#door = door;
    this.#limits = limits;
  }

  /** Who calls. Throws what `HubDoor.identify` does, and RATE_LIMITED, also in place of what went unrecorded. */
  async identify(exchange: Exchange, channel: Channel): Promise<Caller> {
    const { request } = exchange;
    const token = bearerToken(request.headers.authorization);
    if (token !== undefined) this.#limits.refuseGuesser(request.socket.remoteAddress, token);
    const caller = await this.#lookUp(exchange, token, channel);
    exchange.caller = caller;
    if (token !== undefined) this.#limits.remember(token);
    await this.#limits.spend(caller);
    return caller;
  }

  /** Who brings a claim's code, which is guessed at no faster than a token. Throws what `HubDoor.claimant` does, and RATE_LIMITED. */
  async claimant(exchange: Exchange, code: string): Promise<{ readonly caller: Caller; readonly credential: string }> {
    const { remoteAddress } = exchange.request.socket;
    this.#limits.refuseGuesser(remoteAddress, code);
    try {
      const claimant = await this.#door.claimant(code);
      exchange.caller = claimant.caller;
      this.#limits.remember(code);
      await this.#limits.spend(claimant.caller);
      return claimant;
    } catch (error) {
      if (toHubError(error).code === "NOT_FOUND") this.#limits.countGuess(remoteAddress);
      throw error;
    }
  }

  /** One request turned out to hold so many calls more. Throws RATE_LIMITED. */
  async countMore({ caller }: Exchange, calls: number): Promise<void> {
    if (caller !== undefined && calls > 0) await this.#limits.spend(caller, calls);
  }

  /** Records the refusal of an exchange that never reached the gate; what it is to be answered with. */
  record(exchange: Exchange, thrown: unknown, channel: Channel): HubError {
    const error = toHubError(thrown);
    if (!RECORDED.has(error.code) || error instanceof TooManyRefusals) return error;
    const { caller, traceId } = exchange;
    const limited = error.code === "RATE_LIMITED";
    if (caller === undefined && !this.#takeStranger(exchange)) return limited ? error : new TooManyRefusals();
    // each call of a flood is refused, and not each is worth a receipt
    if (caller !== undefined && limited && !this.#ofFloods.take(caller.principal.id)) {
      this.#tellUnrecorded({ principal: caller.principal.id, account: caller.account.id });
      return error;
    }
    this.#door.refuse(error, { channel, traceId, ...(caller && { caller }) });
    return error;
  }

  async #lookUp(exchange: Exchange, token: string | undefined, channel: Channel): Promise<Caller> {
    let over = false;
    const mayRecord = () => {
      over = !this.#takeStranger(exchange);
      return !over;
    };
    try {
      return await this.#door.identify(token, channel, mayRecord);
    } catch (error) {
      // no token is no guess: any page can have a browser send that
      if (token !== undefined && toHubError(error).code === "UNAUTHENTICATED")
        this.#limits.countGuess(exchange.request.socket.remoteAddress);
      throw over ? new TooManyRefusals() : error;
    }
  }

  #takeStranger({ request }: Exchange): boolean {
    const from = request.socket.remoteAddress ?? "";
    if (this.#ofStrangers.take(from)) return true;
    this.#tellUnrecorded({ from });
    return false;
  }

  #tellUnrecorded(whose: Readonly<Record<string, string>>): void {
    this.#untold++;
    const now = performance.now();
    if (now - this.#toldAt < TOLD_EVERY_MS) return;
    this.#door.log.warn({ ...whose, refused: this.#untold }, "refusals were not recorded: too many");
    this.#toldAt = now;
    this.#untold = 0;
  }
}
