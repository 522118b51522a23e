import type { ReadResourceResult } from "@modelcontextprotocol/server";
import { HubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import type { DoorCall, ResourceShelf } from "./catalogue.ts";
import { addressed, MARKDOWN, pathOf, resourceKinds, templateOf } from "./hub-resources.ts";
import { readAction } from "./read-action.ts";
import { isReference, REFERENCE_TEMPLATE, referencePage } from "./reference-pages.ts";
import { resourceList } from "./resource-list.ts";
import { isRunbook, RUNBOOK_TEMPLATE, runbookPage } from "./runbook-pages.ts";
import { receiptMeta } from "./tool-result.ts";

/** What a chat can read by its address. Reading is calling the read action that stands behind the address. */
export function hubResources(door: HubDoor): ResourceShelf {
  const kinds = resourceKinds(door);
  return {
    list: (call, cursor) => resourceList(door, call, cursor),

    async templates(caller) {
      const shown = new Set((await door.visible(caller, "mcp")).map(({ action }) => action.name));
      return [...kinds.filter(({ action }) => shown.has(action)).map(templateOf), REFERENCE_TEMPLATE, RUNBOOK_TEMPLATE];
    },

    async read(uri, call) {
      const path = pathOf(uri);
      if (path === undefined) throw nothingThere();
      const result =
        isReference(path) || isRunbook(path)
          ? await readPage(door, path, uri, call)
          : await readObject(door, path, call);
      return { kind: "result", result };
    },
  };
}

/** As `tools/list` is: told to whom it is shown, and no call. */
async function readPage(door: HubDoor, path: string, uri: string, { caller }: DoorCall): Promise<ReadResourceResult> {
  const shown = await door.visible(caller, "mcp");
  const text = isRunbook(path) ? runbookPage(path) : referencePage(path, shown);
  if (text === undefined) throw nothingThere();
  return { contents: [{ uri, mimeType: MARKDOWN, text }] };
}

async function readObject(door: HubDoor, path: string, call: DoorCall): Promise<ReadResourceResult> {
  const found = addressed(path);
  if (!found || !door.action(found.kind.action)) throw nothingThere();
  const { uri, kind, input } = found;
  const { output, summary, receipt } = await readAction(door, call, kind.action, input).catch((error: unknown) => {
    // an id of the wrong form names nothing; whose input that is, a reader of addresses does not know
    if (error instanceof HubError && error.code === "INPUT_INVALID") throw nothingThere(error);
    throw error;
  });
  return {
    contents: [
      { uri, mimeType: MARKDOWN, text: `# ${kind.title}\n\n${summary}` },
      { uri, mimeType: "application/json", text: JSON.stringify(output) },
    ],
    _meta: receiptMeta(receipt),
  };
}

function nothingThere(cause?: unknown): HubError {
  return new HubError("NOT_FOUND", "There is no such resource.", { cause });
}
