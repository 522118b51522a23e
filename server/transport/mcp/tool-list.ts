import type { Tool } from "@modelcontextprotocol/server";
import type { RegisteredAction } from "../../action/registry.ts";

const tools = new WeakMap<RegisteredAction, Tool>();

const lists = new WeakMap<readonly RegisteredAction[], readonly Tool[]>();

/** A list of actions as MCP shows it: made once for each list that the hub has. */
export function toolsOf(entries: readonly RegisteredAction[]): readonly Tool[] {
  let list = lists.get(entries);
  if (!list) lists.set(entries, (list = entries.map(toolOf)));
  return list;
}

/** An action as MCP shows it. It follows from the declaration alone, so it is made once. */
function toolOf(entry: RegisteredAction): Tool {
  const known = tools.get(entry);
  if (known) return known;
  const { name, title, description, permission, risk } = entry.action;
  const tool: Tool = {
    name,
    title,
    description,
    inputSchema: entry.inputSchema as Tool["inputSchema"],
    outputSchema: entry.outputSchema,
    annotations: {
      title,
      readOnlyHint: risk.effect === "read",
      destructiveHint: risk.effect === "destructive",
      // said of reads alone: what a change does the second time is the action's affair, and a key makes any repeatable
      idempotentHint: risk.effect === "read",
      openWorldHint: (risk.effect as string) === "external",
    },
    _meta: { "countersign/permission": permission, "countersign/approval": risk.approval },
  };
  tools.set(entry, tool);
  return tool;
}
