import type { HubDoor } from "../hub-door.ts";
import type { Traffic } from "../traffic.ts";
import type { Catalogue } from "./catalogue.ts";
import type { StateSeal } from "./seal.ts";

/** What serves a request, whatever its revision. */
export interface McpDoor {
  readonly door: HubDoor;
  readonly catalogue: Catalogue;
  readonly traffic: Traffic;
  readonly seal: StateSeal;
  /** Milliseconds that a person has to answer a question put to an older client. */
  readonly confirmMs: number;
}
