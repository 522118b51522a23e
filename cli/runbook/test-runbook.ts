import { Command } from "commander";
import { checkRunbook } from "./check-runbook.ts";
import { parseRunbook, type Runbook } from "./parse-runbook.ts";
import { LATER } from "./placeholders.ts";
import { readToolCatalogue } from "./tool-catalogue.ts";

/** Runbooks for tests: a head, and the blocks that a test is about. */

const HEAD = `---
title: A trial
purpose: For tests.
inputs:
  - name: module
    description: what it is called
    default: nginx
  - name: count
    description: how many
    type: integer
    default: 3
---
`;

/** The first line after the head. */
export const FIRST_LINE = HEAD.split("\n").length;

export const block = (kind: string, text: string): string => `\`\`\`${kind}\n${text}\n\`\`\`\n`;

export const parsed = (...blocks: string[]): Runbook =>
  parseRunbook("runbooks/trial.md", "trial", HEAD + blocks.join("\n"));

const inputs = new Map<string, unknown>([
  ["module", "nginx"],
  ["count", 3],
]);

const tools = readToolCatalogue();

/** A program with a few verbs, which do nothing. */
function program(): Command {
  const root = new Command("countersign").exitOverride();
  root.command("status").argument("[name]").option("--all");
  root.command("start");
  root.command("store").argument("<name>").requiredOption("--host <host...>").option("--note [text]");
  const backup = root.command("backup");
  backup.command("verify").argument("<file>").option("--passphrase-file <file>");
  return root;
}

/** Throws RUNBOOK_INVALID with what was found. */
export function check(runbook: Runbook, { drill = false, later = [] as readonly string[] } = {}): void {
  const values = new Map([...inputs, ...later.map((name) => [name, LATER] as const)]);
  checkRunbook(runbook, { tools, program: program(), values, from: 1, drill });
}
