import { createInterface } from "node:readline/promises";
import { styleText } from "node:util";
import { type ProgressBar, ProgressLines, type ProgressPace, TerminalBar } from "./progress-bar.ts";
import { textWidth } from "./text-width.ts";

type Style = Parameters<typeof styleText>[0];

/** What the command line prints on and asks at. Results go to standard output, everything else to standard error. */
export interface Terminal {
  /** `--json`: results as JSON, one document a command. */
  json: boolean;
  /** Colours only where a person looks, and NO_COLOR is unset. */
  readonly style: (style: Style, text: string) => string;
  print(text: string): void;
  note(text: string): void;
  /** A line that the next one takes the place of; nothing where no person looks. */
  progress(text: string): void;
  /**
   * How far long work is, on standard error: a bar, which prints and notes push down; lines with --json, or where no
   * person looks: one for each step, or `now and then` where steps are many and short. Sentences may be anybody's text.
   */
  progressBar(lines?: ProgressPace): ProgressBar;
  /** A result: the value with --json, else its words. */
  show(value: unknown, words: () => string): void;
  /** Asks a person. `false` where nobody sits at the terminal. */
  confirm(question: string): Promise<boolean>;
}

export interface TerminalStreams {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly error: NodeJS.WriteStream;
}

/** `colours` false: none, wherever it prints. */
export function openTerminal(
  options: { colours: boolean },
  { input, output, error }: TerminalStreams = { input: process.stdin, output: process.stdout, error: process.stderr },
): Terminal {
  // both, since notes and results are styled alike: a file gets no escape sequences
  const colours = options.colours && output.isTTY && error.isTTY;
  let unfinished = false;
  let bar: TerminalBar | undefined;
  const clear = () => {
    bar?.clear();
    if (unfinished) error.write("\r\u001b[K");
    unfinished = false;
  };
  const terminal: Terminal = {
    json: false,
    style: (style, text) => (colours && !terminal.json ? styleText(style, text, { validateStream: false }) : text),
    print(text) {
      clear();
      output.write(`${text}\n`);
    },
    note(text) {
      clear();
      error.write(`${text}\n`);
    },
    progress(text) {
      if (!error.isTTY) return;
      clear();
      if (text !== "") error.write(text);
      unfinished = text !== "";
    },
    progressBar(lines) {
      clear();
      bar = error.isTTY && !terminal.json ? new TerminalBar(error) : undefined;
      return oneLine(bar ?? new ProgressLines((line) => terminal.note(line), undefined, lines));
    },
    show: (value, words) => terminal.print(terminal.json ? printableJson(value, 2) : words()),
    async confirm(question) {
      if (!input.isTTY) return false;
      const line = createInterface({ input, output: error });
      try {
        return /^y(es)?$/i.test((await line.question(`${question} [y/N] `)).trim());
      } finally {
        line.close();
      }
    },
  };
  return terminal;
}

/** Keeps every sentence on its line. */
function oneLine(bar: ProgressBar): ProgressBar {
  return {
    show: ({ sentence, ...rest }) => bar.show({ ...rest, sentence: printable(sentence).replaceAll("\n", "\\n") }),
    [Symbol.dispose]: () => bar[Symbol.dispose](),
  };
}

/** Rows with their columns lined up; each cell stays on its line, and what would move the cursor is made visible. */
export function table(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map((cell) => printable(cell).replaceAll("\n", "\\n")));
  const columns = Math.max(0, ...clean.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...clean.map((row) => textWidth(row[column] ?? ""))),
  );
  const padded = (cell: string, width: number) => cell + " ".repeat(width - textWidth(cell));
  return clean
    .map((row) =>
      row
        .map((cell, i) => padded(cell, widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

// controls, formats (the bidirectional ones among them), lone surrogates, line and paragraph separators
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text of others never moves the cursor, hides or reorders the line. Line feeds stay. */
export const printable = (text: string): string =>
  text.replace(HIDDEN, (c) => (c === "\n" ? c : `\\u{${c.codePointAt(0)?.toString(16)}}`));

/** JSON of others' values: the same value, with the characters that terminals act on escaped. */
export const printableJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(HIDDEN, (c) => (c === "\n" ? c : escapedUnits(c)));

/** As JSON writes it: `\uXXXX`, once or twice. */
const escapedUnits = (c: string): string =>
  Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
