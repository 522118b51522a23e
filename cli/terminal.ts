import { createInterface } from "node:readline/promises";
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** What the command line prints on and asks at. Results go to standard output, everything else to standard error. */
export interface Terminal {
  /** `--json`: results as JSON, one document a command. */
  json: boolean;
  /** Colours only where a person looks, and NO_COLOR is unset. */
  style(style: Style, text: string): string;
  print(text: string): void;
  note(text: string): void;
  /** A result: the value with --json, else its words. */
  show(value: unknown, words: () => string): void;
  /** Asks a person. `false` where nobody sits at the terminal. */
  confirm(question: string): Promise<boolean>;
}

export function openTerminal(options: { colours: boolean }): Terminal {
  const colours = options.colours && process.stdout.isTTY;
  const terminal: Terminal = {
    json: false,
    style: (style, text) => (colours && !terminal.json ? styleText(style, text, { validateStream: false }) : text),
    print: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    show: (value, words) => terminal.print(terminal.json ? JSON.stringify(value, null, 2) : words()),
    async confirm(question) {
      if (!process.stdin.isTTY) return false;
      const line = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return /^y(es)?$/i.test((await line.question(`${question} [y/N] `)).trim());
      } finally {
        line.close();
      }
    },
  };
  return terminal;
}

/** Rows with their columns lined up; control characters of foreign text are made visible. */
export function table(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(printable));
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((row) => row[column]?.length ?? 0)));
  return clean
    .map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("  "))
    .join("\n");
}

/** Text of others never moves the cursor or reorders the line. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => (c === "\n" ? c : `\\u{${c.codePointAt(0)?.toString(16)}}`));
