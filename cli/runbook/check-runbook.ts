import type { Command } from "commander";
import { commandFault, filledWords } from "./command-line.ts";
import { type InputFault, inputFaults } from "./input-faults.ts";
import { type Matcher, matcherFault } from "./matcher.ts";
import type { Runbook } from "./parse-runbook.ts";
import { filled, LATER, laterIn, placeholdersIn } from "./placeholders.ts";
import { type RunbookFault, runbookInvalid } from "./runbook-fault.ts";
import type { CommandCall, Step, ToolCall, Work } from "./step.ts";
import type { ToolCatalogue, ToolFacts } from "./tool-catalogue.ts";
import { parsePath, schemaHas } from "./value-path.ts";
import { placed } from "./yaml-block.ts";

export interface CheckedAgainst {
  readonly tools: ToolCatalogue;
  readonly program: Command;
  /** Inputs, with LATER for what is not given yet. */
  readonly values: ReadonlyMap<string, unknown>;
  /** The first step that is to be done. */
  readonly from: number;
  /** Drills have steps of their own. */
  readonly drill: boolean;
}

/**
 * Everything that can be wrong before the first step: unknown tools and commands, inputs that do not fit, values that
 * nothing gives, paths that no answer has. Throws RUNBOOK_INVALID with all of it.
 */
export function checkRunbook(runbook: Runbook, against: CheckedAgainst): void {
  const faults: RunbookFault[] = [];
  const known = new Map(against.values);
  for (const step of runbook.steps.slice(against.from - 1)) {
    if (step.drillOnly && !against.drill) continue;
    const check = new StepCheck(step, against, known, (fault) => void faults.push(fault));
    check.work(workIn(step.work, against.drill));
    for (const name of captured(workIn(step.work, against.drill))) known.set(name, LATER);
  }
  if (faults.length > 0) throw runbookInvalid(runbook.file, faults);
}

/** What is done of a step in a drill, or for real. */
export const workIn = (work: Work, drill: boolean): Work =>
  drill && work.kind === "manual" ? (work.drill ?? work) : work;

function captured(work: Work): string[] {
  if (work.kind === "manual" || work.kind === "hub") return [];
  return Object.keys(work.kind === "tool" ? work.tool.capture : work.command.capture);
}

class StepCheck {
  readonly #step: Step;
  readonly #against: CheckedAgainst;
  readonly #known: ReadonlyMap<string, unknown>;
  readonly #tell: (fault: RunbookFault) => void;
  /** A manual step's alternative stands deeper in its block. */
  readonly #prefix: readonly string[];

  constructor(
    step: Step,
    against: CheckedAgainst,
    known: ReadonlyMap<string, unknown>,
    tell: (fault: RunbookFault) => void,
  ) {
    this.#step = step;
    this.#against = against;
    this.#known = known;
    this.#tell = tell;
    this.#prefix = step.work.kind === "manual" && against.drill && step.work.drill ? ["drill"] : [];
  }

  work(work: Work): void {
    if (work.kind === "tool") this.#tool(work.tool);
    else if (work.kind === "countersign") this.#command(work.command);
    else if (work.kind === "hub") this.#hasValues({ ...work.power }, []);
    else this.#hasValues(work.text, ["do"]);
  }

  #tool(tool: ToolCall): void {
    const facts = this.#against.tools.tool(tool.call);
    if (!facts) return this.#fault(["call"], `there is no tool ${tool.call}`);
    if (!facts.channels.includes("http")) this.#fault(["call"], `${tool.call} is not called from outside of the hub`);
    if (facts.secretOutput || facts.secretInput)
      this.#fault(["call"], `${tool.call} handles a secret, which does not go through runbooks`);
    const code = tool.expect.code;
    if (!this.#against.tools.codes.has(code)) this.#fault(["expect", "code"], `there is no code ${code}`);
    if (Object.keys(tool.until).length > 0 && facts.risk.effect !== "read")
      this.#fault(["until"], `${tool.call} is no read: it is called once`);
    if (this.#hasValues(tool.input, ["input"])) this.#input(tool, facts);
    this.#paths("expect.output", tool.expect.output, facts);
    this.#paths("until", tool.until, facts);
    this.#captures(tool.capture, facts);
  }

  #input(tool: ToolCall, facts: ToolFacts): void {
    const input = filled(tool.input, this.#known);
    const later = laterIn(input);
    for (const fault of inputFaults(facts.input, input))
      if (!dependsOn(later, fault)) this.#fault(["input", ...fault.path], placed(fault.path, fault.message));
  }

  #command({ words, expect, capture }: CommandCall): void {
    if (!words.map((word) => this.#hasValues(word, [])).every(Boolean)) return;
    const done = filledWords(words, this.#known);
    if ("fault" in done) return this.#fault([], done.fault);
    const fault = commandFault(
      this.#against.program,
      done.words.map((word) => (word === LATER ? "later" : word)),
    );
    if (fault !== undefined) this.#fault([], fault);
    this.#paths("expect.output", expect.output);
    this.#captures(capture);
  }

  #paths(where: string, wanted: Readonly<Record<string, Matcher>>, facts?: ToolFacts): void {
    for (const [path, value] of Object.entries(wanted)) {
      const at = [...where.split("."), path];
      this.#path(path, at, facts);
      const wrong = matcherFault(value);
      if (wrong !== undefined) this.#fault(at, wrong);
      this.#hasValues(value, at);
    }
  }

  #captures(capture: Readonly<Record<string, string>>, facts?: ToolFacts): void {
    for (const [name, path] of Object.entries(capture)) {
      if (this.#known.has(name)) this.#fault(["capture", name], `${name} has a value already`);
      this.#path(path, ["capture", name], facts);
    }
  }

  #path(text: string, at: readonly string[], facts?: ToolFacts): void {
    const path = parsePath(text);
    if (!path) this.#fault(at, `"${text}" is no path such as run.items[0].id`);
    else if (facts && !schemaHas(facts.output, path)) this.#fault(at, `${facts.name} answers with nothing at ${text}`);
  }

  /** Whether all its placeholders have a value, or will have. */
  #hasValues(value: unknown, at: readonly string[]): boolean {
    const missing = placeholdersIn(value).filter(({ name }) => !this.#known.has(name));
    for (const { name, path } of missing)
      this.#fault(
        [...at, ...path],
        name === "" ? "a placeholder is {{name}}, in quotes" : `nothing gives {{${name}}} a value before this step`,
      );
    return missing.length === 0;
  }

  #fault(path: readonly PropertyKey[], message: string): void {
    this.#tell({
      line: this.#step.lineOf([...this.#prefix, ...path]),
      message: `step ${this.#step.number}: ${message}`,
    });
  }
}

/** Whether a complaint may be about what is not known yet. */
function dependsOn(later: readonly (readonly (string | number)[])[], { path, isUnion }: InputFault): boolean {
  return later.some((unknown) => {
    const isAtOrBelow = unknown.every((part, index) => path[index] === part);
    const isAbove = path.every((part, index) => unknown[index] === part);
    return isAtOrBelow || (isAbove && isUnion);
  });
}
