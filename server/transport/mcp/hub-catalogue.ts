import type { Caller } from "../../action/caller.ts";
import type { HubDoor } from "../hub-door.ts";
import { callAction } from "./action-tool.ts";
import type { Catalogue } from "./catalogue.ts";
import { toolOf } from "./tool-list.ts";

/** What the hub itself offers: its actions as tools. */
export function hubCatalogue(door: HubDoor): Catalogue {
  return {
    tools: {
      list: async (caller: Caller) => (await door.visible(caller, "mcp")).map(toolOf),
      call: (name, args, call) => callAction(door, name, args, call),
    },
  };
}
