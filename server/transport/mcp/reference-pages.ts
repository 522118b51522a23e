import { ERROR_WORDS } from "../../../contracts/errors/error-words.ts";
import type { RegisteredAction } from "../../action/registry.ts";
import { MARKDOWN, uriOf } from "./hub-resources.ts";

/** The reference as a client may read it: a page for each tool that it is shown, the list of them, and the errors. */
const ROOT = "reference";
const ERRORS = "errors";

export const REFERENCE_PATH = `${ROOT}/{page}`;

export const REFERENCE_TEMPLATE = {
  uriTemplate: uriOf(REFERENCE_PATH),
  name: "reference-page",
  title: "Reference page",
  description: "A tool by its name, or `errors`: what it does, takes and answers.",
  mimeType: MARKDOWN,
};

/** Those that are always there. */
export const REFERENCE_RESOURCES = [
  {
    uri: uriOf(ROOT),
    name: ROOT,
    title: "The tools",
    description: "What you can call here, a line each.",
    mimeType: MARKDOWN,
  },
  {
    uri: uriOf(`${ROOT}/${ERRORS}`),
    name: `${ROOT}/${ERRORS}`,
    title: "Error codes",
    description: "Every code with what it means.",
    mimeType: MARKDOWN,
  },
];

export function isReference(path: string): boolean {
  return path === ROOT || path.startsWith(`${ROOT}/`);
}

/** The pages' names, for completion. */
export function pageNames(shown: readonly RegisteredAction[]): string[] {
  return [ERRORS, ...shown.map(({ action }) => action.name)];
}

/** Markdown; undefined where there is no such page for whom these tools are shown. */
export function referencePage(path: string, shown: readonly RegisteredAction[]): string | undefined {
  if (path === ROOT) return overview(shown);
  if (path === `${ROOT}/${ERRORS}`) return errors();
  const entry = shown.find(({ action }) => path === `${ROOT}/${action.name}`);
  return entry && toolPage(entry);
}

function overview(shown: readonly RegisteredAction[]): string {
  return [
    "# The tools",
    "",
    "| Tool | What it is | Effect | Who agrees |",
    "|---|---|---|---|",
    ...shown.map(({ action: { name, title, risk } }) => `| ${name} | ${title} | ${risk.effect} | ${risk.approval} |`),
    "",
    `One of them in full: ${uriOf(REFERENCE_PATH)}`,
  ].join("\n");
}

function errors(): string {
  const rows = Object.entries(ERROR_WORDS).map(([code, { means }]) => `| ${code} | ${means} |`);
  return ["# Error codes", "", "| Code | What it means |", "|---|---|", ...rows].join("\n");
}

function toolPage({ action, inputSchema, outputSchema }: RegisteredAction): string {
  const { name, title, description, permission, risk, errors: codes } = action;
  return [
    `# ${name}`,
    "",
    `**${title}.** ${description}`,
    "",
    `- Permission: ${permission}`,
    `- Effect: ${risk.effect}. Who has to agree unless a policy says otherwise: ${risk.approval}.`,
    `- Errors of its own: ${codes.length > 0 ? codes.join(", ") : "none"}`,
    ...schema("Input", inputSchema),
    ...schema("Output", outputSchema),
  ].join("\n");
}

function schema(heading: string, value: object): string[] {
  return ["", `## ${heading}`, "", "```json", JSON.stringify(value, null, 2), "```"];
}
