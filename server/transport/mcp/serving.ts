import type { Server } from "@modelcontextprotocol/server";
import type { McpDoor } from "./mcp-door.ts";
import type { Rounds } from "./rounds.ts";

/** The revisions that have sessions, and the one that has none. */
export type Era = "legacy" | "modern";

/** One request (2026-07-28) or one session (2025) that is being served. */
export interface Serving {
  readonly at: McpDoor;
  readonly server: Server;
  readonly rounds: Rounds;
  readonly era: Era;
}

/** Makes the server answer one method of the protocol. */
export type Register = (serving: Serving) => void;

/** Milliseconds for which a client may keep a list: a changed permission shows by then, and counts at once anyway. */
const LIST_TTL_MS = 30_000;

/** Lists are made for one caller. */
export const LIST_CACHE = { ttlMs: LIST_TTL_MS, cacheScope: "private" as const };
