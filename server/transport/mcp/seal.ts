import { createRequestStateCodec, type RequestStateCodec, type ServerContext } from "@modelcontextprotocol/server";
import { HubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import type { Asked } from "./catalogue.ts";
import { identifiedIn } from "./exchange-context.ts";

/**
 * Seals what a client of 2026-07-28 carries between two rounds: authenticated with a key that all processes of this hub
 * have, bound to the method and the principal, expiring. It can be read by the client, and used again until it expires:
 * what must happen once is spent by whoever made it.
 */
export class StateSeal {
  readonly #door: HubDoor;
  readonly #codec: RequestStateCodec;

  constructor(door: HubDoor) {
    this.#door = door;
    this.#codec = this.#codecFor(1);
  }

  async seal({ state, expiresAt }: NonNullable<Asked["carry"]>, context: ServerContext): Promise<string> {
    // the seal counts whole seconds; to the millisecond its maker looks at
    const seconds = Math.max(0, Math.ceil((expiresAt.getTime() - Date.now()) / 1000)) + 1;
    return this.#codecFor(seconds).mint(state, context);
  }

  /** For the SDK, which answers -32602 where this throws; the refusal is recorded here. */
  readonly verify = async (sealed: string, context: ServerContext): Promise<unknown> => {
    try {
      return await this.#codec.verify(sealed, context);
    } catch (cause) {
      const { caller, exchange } = identifiedIn(context);
      const error = new HubError(
        "CONFIRMATION_INVALID",
        "This confirmation was not given by this hub to this caller, or has expired.",
        { cause },
      );
      this.#door.refuse(error, { channel: "mcp", caller, traceId: exchange.traceId });
      throw error;
    }
  };

  /** Verifying does not look at `ttlSeconds`: what was sealed says itself when it expires. */
  #codecFor(ttlSeconds: number): RequestStateCodec {
    return createRequestStateCodec({
      key: this.#door.sealKey,
      ttlSeconds,
      bind: (context) => `${context.mcpReq.method}\0${identifiedIn(context).caller.principal.id}`,
    });
  }
}
