import { Server } from "@modelcontextprotocol/server";
import type { McpDoor } from "./mcp-door.ts";
import type { Offer } from "./offer.ts";
import { legacyRounds, modernRounds } from "./rounds.ts";
import type { Era, Serving } from "./serving.ts";

const INSTRUCTIONS = [
  "Countersign stands between you and the systems you operate. Each call is authorised, carried out once and leaves a signed receipt.",
  "A result with isError whose text begins with APPROVAL_PENDING has done nothing yet: a person has to agree first. Tell your user; do not call again.",
  "After any other error nothing was changed, except for AMBIGUOUS: then find out what happened before you go on.",
  "To see what a call would meet without making it, use system_policy_simulate.",
].join("\n");

/**
 * The protocol's side of one request (2026-07-28) or of one session (2025): the SDK's low-level server. It is made anew
 * for each request, so that it learns the one `method` alone which that request is for; a session's learns all.
 */
export function protocolServer(at: McpDoor, { capabilities, methods }: Offer, era: Era, method?: string): Serving {
  const server = new Server(
    { name: "countersign", title: "Countersign", version: at.door.version },
    { capabilities, instructions: INSTRUCTIONS, requestState: { verify: at.seal.verify } },
  );
  const serving = { at, server, era, rounds: era === "modern" ? modernRounds(at) : legacyRounds(at) };
  if (era === "modern") methods.get(method ?? "")?.(serving);
  else for (const register of methods.values()) register(serving);
  return serving;
}
