import { createMcpHandler } from "@modelcontextprotocol/server";
import type { Json } from "../../../contracts/formats/canonical-json.ts";
import { HubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import { asAuthInfo, type IdentifiedExchange } from "./exchange-context.ts";
import { protocolServer } from "./protocol-server.ts";
import type { ToolCallDoor } from "./tool-call.ts";
import { sendResponse } from "./web-exchange.ts";

/** Nothing is announced yet, so that a subscription ends at once; a few at a time are enough. */
const MOST_SUBSCRIPTIONS = 16;

/** Serves the 2026-07-28 revision: each request stands alone. */
export function modernEra(at: ToolCallDoor) {
  const handler = createMcpHandler(({ era }) => protocolServer(at, era), {
    legacy: "reject",
    maxSubscriptions: MOST_SUBSCRIPTIONS,
    onerror: (error) => at.door.log.debug({ err: error }, "mcp"),
  });
  return {
    async serve(identified: IdentifiedExchange, request: Request, body: Json): Promise<void> {
      const { exchange } = identified;
      const response = await handler.fetch(request, { parsedBody: body, authInfo: asAuthInfo(identified) });
      const sent = await sendResponse(response, exchange);
      if (!response.ok && !exchange.signal.aborted) recordRefusal(at.door, identified, sent);
    },
    close: () => handler.close(),
  };
}

/** What the protocol layer turned away before any handler: headers that contradict the body, an unknown method. */
function recordRefusal(door: HubDoor, { caller, exchange }: IdentifiedExchange, sent: string): void {
  const { error } = JSON.parse(sent || "{}") as { error?: { message?: string } };
  const refusal = new HubError("INPUT_INVALID", error?.message ?? "The request is none of this protocol.");
  door.refuse(refusal, { channel: "mcp", caller, traceId: exchange.traceId });
}
