import type { ServerCapabilities } from "@modelcontextprotocol/server";
import { type Catalogue, TASKS } from "./catalogue.ts";
import { extensionMethods } from "./extension-methods.ts";
import { completionMethods, promptMethods } from "./prompt-methods.ts";
import { resourceMethods } from "./resource-methods.ts";
import type { Era, Register } from "./serving.ts";
import { taskMethods } from "./task-methods.ts";
import { toolMethods } from "./tool-methods.ts";

/** What a door says that it can do, and does: both follow from its catalogue, so that they cannot differ. */
export interface Offer {
  readonly capabilities: ServerCapabilities;
  readonly methods: ReadonlyMap<string, Register>;
}

export function offerOf(catalogue: Catalogue, era: Era): Offer {
  const { tools, resources, prompts, completion } = catalogue;
  const tasks = era === "modern" ? catalogue.tasks : undefined;
  const extensions = Object.values(catalogue.extensions ?? {});
  const methods = {
    ...toolMethods(tools),
    ...(resources && resourceMethods(resources)),
    ...(prompts && promptMethods(prompts)),
    ...(completion && completionMethods(completion)),
    ...(tasks && taskMethods(tasks)),
    ...Object.assign({}, ...extensions.map(extensionMethods)),
  };
  return { capabilities: capabilitiesOf(catalogue, tasks !== undefined), methods: new Map(Object.entries(methods)) };
}

function capabilitiesOf(catalogue: Catalogue, hasTasks: boolean): ServerCapabilities {
  const { resources, prompts, completion, changes, logging } = catalogue;
  const listChanged = changes && { listChanged: true };
  const extensions = {
    ...Object.fromEntries(Object.entries(catalogue.extensions ?? {}).map(([id, { settings }]) => [id, settings])),
    ...(hasTasks && { [TASKS]: {} }),
  };
  return {
    tools: { ...listChanged },
    ...(resources && { resources: { ...listChanged, ...(changes && { subscribe: true }) } }),
    ...(prompts && { prompts: { ...listChanged } }),
    ...(completion && { completions: {} }),
    ...(logging && { logging: {} }),
    ...(Object.keys(extensions).length > 0 && { extensions }),
  };
}
