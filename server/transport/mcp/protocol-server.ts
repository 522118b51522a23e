import { type McpRequestContext, Server } from "@modelcontextprotocol/server";
import type { HubDoor } from "../hub-door.ts";
import { failedMethod } from "./errors.ts";
import { identifiedIn } from "./exchange-context.ts";
import { callLegacy, callModern, type ToolCallDoor } from "./tool-call.ts";
import { toolOf } from "./tool-list.ts";

/** Milliseconds for which a client may keep a list: a changed permission shows by then, and counts at once anyway. */
const LIST_TTL_MS = 30_000;

const INSTRUCTIONS = [
  "Countersign stands between you and the systems you operate. Each call is authorised, carried out once and leaves a signed receipt.",
  "A result with isError whose text begins with APPROVAL_PENDING has done nothing yet: a person has to agree first. Tell your user; do not call again.",
  "After any other error nothing was changed, except for AMBIGUOUS: then find out what happened before you go on.",
  "To see what a call would meet without making it, use system_policy_simulate.",
].join("\n");

/**
 * The protocol's side of one request (2026-07-28) or of one session (2025). The SDK's low-level server with two handlers:
 * it is made for each request, so that registering every tool would cost more than the call.
 */
export function protocolServer(at: ToolCallDoor, era: McpRequestContext["era"]): Server {
  const server = new Server(
    { name: "countersign", title: "Countersign", version: at.door.version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS, requestState: { verify: at.seal.verify } },
  );
  server.setRequestHandler("tools/list", async (_request, context) => listTools(at.door, identifiedIn(context).caller));
  server.setRequestHandler("tools/call", (request, context) =>
    era === "modern"
      ? callModern(at, request, context)
      : callLegacy(at, request, context, server.getClientCapabilities()),
  );
  return server;
}

async function listTools(door: HubDoor, caller: Parameters<HubDoor["visible"]>[0]) {
  try {
    const visible = await door.visible(caller, "mcp");
    return { tools: visible.map(toolOf), ttlMs: LIST_TTL_MS, cacheScope: "private" as const };
  } catch (error) {
    door.log.error({ err: error }, "the list of tools failed");
    throw failedMethod(error);
  }
}
