import type { Caller } from "../../action/caller.ts";
import type { HubDoor } from "../hub-door.ts";
import { callAction } from "./action-tool.ts";
import type { Catalogue } from "./catalogue.ts";
import { hubCompletion } from "./completion.ts";
import { hubChanges } from "./hub-changes.ts";
import { hubTasks } from "./hub-tasks.ts";
import { hubPrompts } from "./prompt-shelf.ts";
import { hubResources } from "./resource-shelf.ts";
import { toolsOf } from "./tool-list.ts";

/** What the hub itself offers: its actions as tools, and what chats read, complete and follow by way of them. */
export function hubCatalogue(door: HubDoor): Catalogue {
  return {
    tools: {
      list: async (caller: Caller) => toolsOf(await door.visible(caller, "mcp")),
      call: (name, args, call) => callAction(door, name, args, call),
    },
    resources: hubResources(door),
    prompts: hubPrompts(door),
    completion: hubCompletion(door),
    changes: hubChanges(door),
    tasks: hubTasks(door),
  };
}
