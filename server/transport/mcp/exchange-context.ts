import type { AuthInfo, ServerContext } from "@modelcontextprotocol/server";
import type { Caller } from "../../action/caller.ts";
import type { Exchange } from "../exchange.ts";

/** An exchange whose caller is known. */
export interface IdentifiedExchange {
  readonly exchange: Exchange;
  readonly caller: Caller;
  readonly token: string | undefined;
}

/** Carries the exchange through the SDK to the handler. The token stays out of where the SDK keeps tokens. */
export function asAuthInfo(identified: IdentifiedExchange): AuthInfo {
  return { token: "", clientId: identified.caller.principal.id, scopes: [], extra: { identified } };
}

export function identifiedIn(context: ServerContext): IdentifiedExchange {
  const identified = context.http?.authInfo?.extra?.identified;
  if (identified === undefined) throw new Error("cannot happen: a handler runs for an exchange that nobody identified");
  return identified as IdentifiedExchange;
}
