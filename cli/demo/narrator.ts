import type { Terminal } from "../terminal.ts";
import { cutText, wrapText } from "../text-width.ts";

/** What was called, by whom, and what came back. */
export interface Exchange {
  readonly who: string;
  readonly call: string;
  readonly answer: readonly string[];
  /** Lines of the answer to print: its beginning and its end. */
  readonly lines?: number;
}

export interface Step {
  readonly number: number;
  readonly title: string;
  readonly why: string;
  readonly exchanges: Exchange[];
}

const WIDTH = 78;
const INDENT = "    ";
const MOST_LINES = 12;
/** How an answer ends is what it comes to. */
const LAST_LINES = 2;

/** Tells the story as it happens, in 80 columns; with --json it keeps it for the end. */
export class Narrator {
  readonly steps: Step[] = [];
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  step(title: string, why: string): void {
    const number = this.steps.push({ number: this.steps.length + 1, title, why, exchanges: [] });
    const { style } = this.#terminal;
    this.#say("", style("bold", `${String(number).padStart(2)}. ${title}`));
    for (const line of wrapText(why, WIDTH - INDENT.length)) this.#say(`${INDENT}${style("dim", line)}`);
  }

  exchange(exchange: Exchange): void {
    this.steps.at(-1)?.exchanges.push(exchange);
    const { style } = this.#terminal;
    const prompt = `${exchange.who}> `;
    const [first = "", ...more] = wrapText(readable(exchange.call), WIDTH - INDENT.length - prompt.length);
    this.#say("", `${INDENT}${style("cyan", prompt)}${first}`);
    for (const line of more) this.#say(`${INDENT}${" ".repeat(prompt.length)}${line}`);
    for (const line of shortened(exchange)) this.#say(`${INDENT}  ${line}`);
  }

  aside(text: string): void {
    this.#say("");
    for (const line of text.split("\n")) this.#say(line);
  }

  #say(...lines: string[]): void {
    if (!this.#terminal.json) for (const line of lines) this.#terminal.print(line);
  }
}

/** Digests and keys are longer than what they tell a reader. */
export const readable = (text: string): string =>
  text.replace(/[A-Za-z0-9+/_=-]{57,}|[0-9a-f]{40,}/g, (long) => `${long.slice(0, 8)}...`);

function shortened({ answer, lines: most = MOST_LINES }: Exchange): string[] {
  const width = WIDTH - INDENT.length - 2;
  const lines = answer
    .flatMap((text) => text.split("\n"))
    .map(readable)
    .flatMap((line) => wrapped(line, width))
    .filter((line) => line.trim() !== "");
  if (lines.length <= most) return lines;
  const first = Math.max(0, most - LAST_LINES - 1);
  return [...lines.slice(0, first), `(${lines.length - first - LAST_LINES} more lines)`, ...lines.slice(-LAST_LINES)];
}

/** Keeps the indentation of what it wraps, that of a list's item too. */
function wrapped(line: string, width: number): string[] {
  const [mark = ""] = /^ *([-+] +)?/.exec(line) ?? [];
  const [first = "", ...more] = wrapText(line.slice(mark.length), width - mark.length);
  const indent = " ".repeat(mark.length);
  return [`${mark}${first}`, ...more.map((part) => `${indent}${part}`)].map((part) => cutText(part, width));
}
