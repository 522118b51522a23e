import type { FleetKind } from "../../../contracts/fleet/object.ts";
import type { ItemAction } from "../../../contracts/gitops/proposal.ts";
import type { PreviewChange } from "../approvals/preview.ts";
import { diffObject } from "../fleet/diff-object.ts";
import type { ProposedItem } from "./gitops-store.ts";

const KINDS: Readonly<Record<FleetKind, readonly [one: string, many: string]>> = {
  Template: ["template", "templates"],
  Module: ["module", "modules"],
  Assignment: ["assignment", "assignments"],
  ProviderConfig: ["provider config", "provider configs"],
};

const VERBS: Readonly<Record<ItemAction, string>> = {
  create: "create",
  update: "change",
  adopt: "take over",
  delete: "delete",
};

const MOST_FIELDS = 3;
const LONGEST_VALUE = 60;

export const changesOf = ({ before, after }: ProposedItem): PreviewChange[] => diffObject(before, after);

/** One object, for somebody who never saw the schema: `Change the assignment eu-web: parameter replicas from 2 to 3.` */
export function itemInWords(item: ProposedItem): string {
  const object = `the ${KINDS[item.kind][0]} ${item.name}`;
  switch (item.action) {
    case "create":
      return `Create ${object}.`;
    case "delete":
      return `Delete ${object}.`;
    case "adopt":
      return `Take over ${object}, which belongs to no repository${listed(changesOf(item), ", and change ")}.`;
    case "update":
      return `Change ${object}${listed(changesOf(item), ": ")}.`;
  }
}

/** `create 2 templates and 1 module, change 1 assignment` */
export function itemsInWords(items: readonly Pick<ProposedItem, "action" | "kind">[]): string {
  const byAction = Map.groupBy(items, ({ action }) => action);
  return [...byAction]
    .map(([action, same]) => {
      const byKind = [...Map.groupBy(same, ({ kind }) => kind)];
      return `${VERBS[action]} ${byKind.map(([kind, { length }]) => counted(length, kind)).join(" and ")}`;
    })
    .join(", ");
}

const counted = (count: number, kind: FleetKind): string => `${count} ${KINDS[kind][count === 1 ? 0 : 1]}`;

function listed(changes: readonly PreviewChange[], lead: string): string {
  if (changes.length === 0) return "";
  const words = changes.slice(0, MOST_FIELDS).map(changeInWords);
  const more = changes.length - words.length;
  return `${lead}${words.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}

export function changeInWords({ field, before, after }: PreviewChange): string {
  const what = fieldInWords(field);
  if (before === undefined) return `${what} added: ${shown(after)}`;
  if (after === undefined) return `${what} removed (it was ${shown(before)})`;
  return `${what} from ${shown(before)} to ${shown(after)}`;
}

/** `spec.parameters.size.default` -> `parameter size, default`; `spec.modules[0]` -> `module 1` */
export function fieldInWords(field: string): string {
  const named = /^(?:spec\.)?(?<list>labels|annotations|selector|parameters)\.(?<name>.+)$/s.exec(field)?.groups;
  if (named?.["list"] === "parameters") {
    const [name = "", ...within] = (named["name"] ?? "").split(".");
    return [`parameter ${name}`, ...within.map(indexed)].join(", ");
  }
  if (named)
    return `${{ labels: "label", annotations: "annotation", selector: "selector" }[named["list"] as "labels"]} ${named["name"]}`;
  return indexed(field.replace(/^spec\./, ""));
}

const indexed = (name: string): string =>
  name
    .replace(/^modules(?=\[)/, "module")
    .replace(/^dependsOn(?=\[)/, "dependency")
    .replace(/^secretRef$/, "secret reference")
    .replace(/^enum(?=\[)/, "allowed value")
    .replace(/\[(\d+)\]$/, (_, index: string) => ` ${Number(index) + 1}`);

function shown(value: string | undefined): string {
  if (value === undefined) return "nothing";
  const characters = [...value];
  return characters.length > LONGEST_VALUE ? `${characters.slice(0, LONGEST_VALUE).join("")}…` : value;
}
