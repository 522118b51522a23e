import type { ClientCapabilities, InputResponses, ServerContext } from "@modelcontextprotocol/server";
import { traceIdOf } from "../trace-context.ts";
import type { DoorCall } from "./catalogue.ts";
import { identifiedIn } from "./exchange-context.ts";

/** A request as a catalogue sees it. */
export function doorCall(context: ServerContext, capabilities: ClientCapabilities | undefined): DoorCall {
  const { caller, exchange } = identifiedIn(context);
  const { mcpReq } = context;
  const meta: Readonly<Record<string, unknown>> = mcpReq._meta ?? {};
  const state = mcpReq.requestState();
  return {
    caller,
    capabilities: capabilities ?? {},
    meta,
    // through a bridge the header is the bridge's own; what the client says stands in the message
    traceId: traceIdOf(meta.traceparent) ?? exchange.traceId,
    signal: mcpReq.signal,
    ...(mcpReq.inputResponses && { answers: mcpReq.inputResponses as InputResponses }),
    ...(state !== undefined && { state }),
    async progress(done, total, sentence) {
      const { progressToken } = meta;
      if (progressToken === undefined) return;
      const params = {
        progressToken,
        progress: done,
        ...(total !== undefined && { total }),
        ...(sentence !== undefined && { message: sentence }),
      };
      await mcpReq.notify({ method: "notifications/progress", params });
    },
    log: (level, data) => mcpReq.log(level, data, "countersign"),
  };
}
