import { FLEET_KINDS } from "../../../contracts/fleet/object.ts";
import { HubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import type { Completion } from "./catalogue.ts";
import { type ResourceKind, resourceKinds, uriOf, variablesOf } from "./hub-resources.ts";
import { hubPromptList } from "./prompts/hub-prompts.ts";
import { pageNames, REFERENCE_PATH } from "./reference-pages.ts";
import { RUNBOOK_PATH, runbookPageNames } from "./runbook-pages.ts";
import { begins, idOf, listed, nameOf, receipts, repositories, type ValueSource } from "./value-sources.ts";

const VALUES: Readonly<Record<string, Readonly<Record<string, ValueSource>>>> = {
  "approvals/{id}": { id: listed("system_approval_list_requests", idOf, { state: "open" }) },
  "fleet/{kind}/{name}": {
    kind: async () => FLEET_KINDS,
    name: (door, call, typed, { kind }) =>
      listed("system_fleet_list_objects", nameOf, kindIn(kind))(door, call, typed, {}),
  },
  "gitops/proposals/{id}": { id: listed("system_gitops_list_proposals", idOf) },
  "gitops/repositories/{name}": { name: repositories },
  "gitops/sync-runs/{id}": { id: listed("system_gitops_list_sync_runs", idOf) },
  "operations/{id}": { id: listed("system_operations_list", idOf) },
  "receipts/{id}": { id: receipts },
};

/** What a client may type next, each from the list that the caller may see anyway: through the gate, and capped. */
export function hubCompletion(door: HubDoor): Completion {
  const templates = new Map(resourceKinds(door).map((kind) => [uriOf(kind.path), kind]));
  return {
    async complete({ ref, argument: { name, value }, context }, call) {
      const source = ref.type === "ref/prompt" ? ofPrompt(ref.name, name) : ofTemplate(templates, ref.uri, name);
      const values = await source(door, call, value, context?.arguments ?? {});
      return { values: [...new Set(values)].filter((found) => begins(found, value)) };
    },
  };
}

function ofPrompt(prompt: string, name: string): ValueSource {
  const { args } = hubPromptList.find((offer) => offer.name === prompt) ?? unknown("prompt");
  if (!Object.hasOwn(args, name)) throw unknownArgument();
  return args[name]?.values ?? (async () => []);
}

function ofTemplate(templates: ReadonlyMap<string, ResourceKind>, uri: string, name: string): ValueSource {
  if (uri === uriOf(REFERENCE_PATH)) {
    if (name !== "page") throw unknownArgument();
    return async (door, { caller }) => pageNames(await door.visible(caller, "mcp"));
  }
  if (uri === uriOf(RUNBOOK_PATH)) {
    if (name !== "name") throw unknownArgument();
    return async () => runbookPageNames();
  }
  const kind = templates.get(uri) ?? unknown("resource template");
  if (!variablesOf(kind).includes(name)) throw unknownArgument();
  return VALUES[kind.path]?.[name] ?? (async () => []);
}

function kindIn(kind: string | undefined): Readonly<Record<string, unknown>> {
  return FLEET_KINDS.some((known) => known === kind) ? { kind } : {};
}

function unknown(what: string): never {
  throw new HubError("NOT_FOUND", `There is no such ${what}.`);
}

function unknownArgument(): HubError {
  return new HubError("INPUT_INVALID", "There is no such argument.", { path: "argument.name" });
}
