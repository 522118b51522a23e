import { Lexer, type Token, type Tokens } from "marked";
import { type RunbookHead, runbookHead, splitRunbook } from "../../contracts/runbooks/runbook-head.ts";
import { type RunbookFault, runbookInvalid } from "./runbook-fault.ts";
import { readStep, STEP_KINDS, type Step, type StepKind, type Words } from "./step.ts";
import { readYaml } from "./yaml-block.ts";

export interface Runbook {
  /** As it is named in messages. */
  readonly file: string;
  readonly name: string;
  readonly head: RunbookHead;
  readonly steps: readonly Step[];
  /** What comes after the last step. */
  readonly lastWords: readonly Words[];
  /** Of something in the head. */
  readonly headLine: (path: readonly PropertyKey[]) => number;
}

const MOST_BYTES = 256 * 1024;

/**
 * Reads a runbook: its head, and its fenced blocks `tool`, `countersign` and `manual` with the prose before each. Other
 * fenced blocks are prose. Throws RUNBOOK_INVALID with every fault of its form and its line.
 */
export function parseRunbook(file: string, name: string, text: string): Runbook {
  const faults: RunbookFault[] = [];
  const fault = (one: RunbookFault) => void faults.push(one);
  if (Buffer.byteLength(text) > MOST_BYTES)
    throw runbookInvalid(file, [{ line: 1, message: `a runbook has ${MOST_BYTES / 1024} KB at most` }]);
  const parts = splitRunbook(text);
  if (!parts) throw runbookInvalid(file, [{ line: 1, message: "it begins with no head between two lines of ---" }]);
  const head = readYaml(runbookHead, parts.head, 2, fault);
  const bodyLine = 1 + linesIn(text.slice(0, text.length - parts.body.length));
  const { steps, lastWords } = readBody(parts.body, bodyLine, fault);
  if (steps.length === 0 && faults.length === 0) fault({ line: bodyLine, message: "there is no step in it" });
  if (!head || faults.length > 0) throw runbookInvalid(file, faults);
  return { file, name, head: head.value, steps, lastWords, headLine: head.lineOf };
}

function readBody(body: string, first: number, fault: (fault: RunbookFault) => void) {
  const steps: Step[] = [];
  let phase = "";
  let words: Words[] = [];
  let line = first;
  for (const token of Lexer.lex(body)) {
    const block = token.type === "code" ? stepBlock(token as Tokens.Code) : undefined;
    if (block) {
      const place = { number: steps.length + 1, phase, words, line };
      const step = readStep(block, place, fault);
      if (step) steps.push(step);
      words = [];
    } else if (token.type === "heading") {
      phase = (token as Tokens.Heading).text;
      words.push({ heading: true, text: phase });
    } else if (token.type !== "space") {
      refuseHidden(token, line, fault);
      const text = token.raw.trim();
      // a paragraph's lines are broken for the file: a terminal breaks them anew
      words.push({ heading: false, text: token.type === "paragraph" ? onOneLine(text) : text });
    }
    line += linesIn(token.raw);
  }
  return { steps, lastWords: words };
}

function stepBlock({ lang = "", text, raw }: Tokens.Code) {
  const [kind = "", ...marks] = lang.trim().split(/\s+/);
  const isFenced = /^ {0,3}(`{3}|~{3})/.test(raw);
  return isFenced && isStepKind(kind) ? { kind, marks, text } : undefined;
}

const isStepKind = (kind: string): kind is StepKind => (STEP_KINDS as readonly string[]).includes(kind);

/** A block inside of a list or a quotation would be passed over: it is said instead. */
function refuseHidden(token: Token, line: number, fault: (fault: RunbookFault) => void): void {
  const found = /^[ \t>*+\d.-]+(?:`{3,}|~{3,})[ \t]*(tool|countersign|manual)\b/m.exec(token.raw);
  if (found && token.type !== "code")
    fault({
      line: line + linesIn(token.raw.slice(0, found.index)),
      message: `a ${found[1]} block stands by itself, at the left margin`,
    });
}

const linesIn = (text: string): number => text.split("\n").length - 1;

const onOneLine = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.trim())
    .join(" ");
