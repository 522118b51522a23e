import type { CliContext } from "../context.ts";
import { printable } from "../terminal.ts";
import { wrapText } from "../text-width.ts";
import { findRunbook, runbookNames } from "./find-runbooks.ts";
import { parseRunbook, type Runbook } from "./parse-runbook.ts";
import { readToolCatalogue, type ToolCatalogue } from "./tool-catalogue.ts";

const WIDTH = 78;
const NEEDS = ["none", "confirm", "approve", "two-person"] as const;
type Needs = (typeof NEEDS)[number];
const NEEDS_WORDS: Readonly<Record<Needs, string>> = {
  none: "nobody else",
  confirm: "nobody else",
  approve: "a person who approves",
  "two-person": "two people who approve",
};

/** What each runbook is for, its steps, and who has to agree unless a policy says otherwise. Throws RUNBOOK_INVALID. */
export function listRunbooks({ terminal }: CliContext): void {
  const tools = readToolCatalogue();
  const items = runbookNames().map((name) => {
    const { file, text } = findRunbook(name);
    return summary(parseRunbook(file, name, text), tools);
  });
  terminal.show({ items }, () =>
    items
      .map(({ name, title, purpose, steps, needs, inputs }) =>
        [
          `${terminal.style("bold", name)}  ${printable(title)}`,
          ...wrapText(printable(purpose), WIDTH - 2).map((line) => `  ${line}`),
          `  ${steps.length} steps; needs ${needs}${steps.some(({ kind }) => kind === "manual") ? ", and a person at the systems" : ""}`,
          ...inputs.map((input) => `  --set ${input.name}=${input.default ?? "..."}  ${printable(input.description)}`),
        ].join("\n"),
      )
      .join("\n\n"),
  );
}

function summary({ name, head, steps }: Runbook, tools: ToolCatalogue) {
  const own = steps.filter(({ drillOnly }) => !drillOnly);
  const needs = own.map(({ work }): Needs => {
    return work.kind === "tool" ? (tools.tool(work.tool.call)?.risk.approval ?? "none") : "none";
  });
  const most = NEEDS[Math.max(0, ...needs.map((one) => NEEDS.indexOf(one)))] as Needs;
  return {
    name,
    title: head.title,
    purpose: head.purpose,
    inputs: head.inputs.map(({ name: input, description, default: preset }) => ({
      name: input,
      description,
      ...(preset !== undefined && { default: preset }),
    })),
    steps: own.map(({ number, phase, work }) => ({ number, phase, kind: work.kind, what: whatOf(work) })),
    needs: NEEDS_WORDS[most],
  };
}

function whatOf(work: Runbook["steps"][number]["work"]): string {
  if (work.kind === "tool") return work.tool.call;
  return work.kind === "countersign" ? `countersign ${work.command.words.join(" ")}` : "for a person to do";
}
