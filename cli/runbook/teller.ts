import { printable, printableJson, type Terminal } from "../terminal.ts";
import { wrapText } from "../text-width.ts";
import type { Runbook } from "./parse-runbook.ts";
import type { Step, Words } from "./step.ts";

const WIDTH = 80;
const INDENT = "   ";

/** Tells a run as it happens; with --json nothing, since one document follows at its end. */
export class Teller {
  readonly #terminal: Terminal;
  readonly #steps: number;

  constructor(terminal: Terminal, runbook: Runbook) {
    this.#terminal = terminal;
    this.#steps = runbook.steps.length;
  }

  begin({ head, name }: Runbook, mode: string): void {
    this.#say(this.#terminal.style("bold", `${printable(head.title)} (${name}${mode === "run" ? "" : `, ${mode}`})`));
    this.#wrapped(head.purpose, "");
  }

  /** The prose before a step, and the step. */
  step({ number, words, drillOnly }: Step, what: string): void {
    this.words(words);
    const setUp = drillOnly ? " (for the drill alone)" : "";
    this.#say("", this.#terminal.style("cyan", `${number}/${this.#steps}${setUp}  ${printable(what)}`));
  }

  words(words: readonly Words[]): void {
    for (const { heading, text } of words) {
      this.#say("");
      if (heading) this.#say(this.#terminal.style("bold", printable(text)));
      else this.#wrapped(text, "");
    }
  }

  values(input: unknown): void {
    if (typeof input !== "object" || input === null || Object.keys(input).length === 0) return;
    for (const line of printableJson(input, 2).split("\n")) this.#say(this.#terminal.style("dim", `${INDENT}${line}`));
  }

  /** What came of a step, or is to be known of it. */
  line(text: string): void {
    this.#wrapped(text, INDENT);
  }

  end(words: string): void {
    this.#say("", words);
  }

  #wrapped(text: string, indent: string): void {
    for (const line of wrapText(printable(text), WIDTH - indent.length)) this.#say(`${indent}${line}`);
  }

  #say(...lines: string[]): void {
    if (!this.#terminal.json) for (const line of lines) this.#terminal.print(line);
  }
}
