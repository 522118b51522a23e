import * as z from "zod";
import { placeholderName } from "../../contracts/runbooks/runbook-head.ts";
import { splitWords } from "./command-line.ts";
import { matcher } from "./matcher.ts";
import type { RunbookFault } from "./runbook-fault.ts";
import { readYaml } from "./yaml-block.ts";

export const STEP_KINDS = ["tool", "countersign", "manual"] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** Only in drills: what a drill needs to be set up. */
const DRILL = "drill";
const LONGEST_WAIT_S = 604_800;

const captures = z.record(placeholderName, z.string().max(200)).default({});
const matchers = z.record(z.string().max(200), matcher).default({});
const input = z.record(z.string(), z.json()).default({});
const within = z.int().min(1).max(LONGEST_WAIT_S).default(60);

export const toolCall = z.strictObject({
  call: z.string(),
  as: z.enum(["operator", "agent"]).default("operator"),
  input,
  expect: z.strictObject({ code: z.string().default("OK"), output: matchers }).default({ code: "OK", output: {} }),
  capture: captures,
  until: matchers,
  within,
});
export type ToolCall = z.output<typeof toolCall>;

const commandOptions = z.strictObject({
  exit: z.int().min(0).max(125).default(0),
  expect: z.strictObject({ output: matchers }).default({ output: {} }),
  capture: captures,
});

/** A command of this program; what it expects and captures is of its JSON. */
export interface CommandCall extends z.output<typeof commandOptions> {
  readonly words: readonly string[];
}

/** What is done to a drill's own hub: ended, or started with the database of another data folder. */
const hubPower = z.union([
  z.strictObject({ hub: z.literal("stop") }),
  z.strictObject({ hub: z.literal("start"), dataDir: z.string().min(1) }),
]);
export type HubPower = z.output<typeof hubPower>;

const manualWork = z.strictObject({
  do: z.string().min(1).max(2_000),
  drill: z
    .union([toolCall, commandOptions.partial().extend({ run: z.string() }), hubPower], {
      error: "what to do in its place: a tool call (call: ...), a command (run: ...), or hub: stop, hub: start",
    })
    .optional(),
});

export type Work =
  | { readonly kind: "tool"; readonly tool: ToolCall }
  | { readonly kind: "countersign"; readonly command: CommandCall }
  | { readonly kind: "hub"; readonly power: HubPower }
  | { readonly kind: "manual"; readonly text: string; readonly drill: Work | undefined };

/** A heading, or a paragraph, list or the like as it is written. */
export interface Words {
  readonly heading: boolean;
  readonly text: string;
}

interface Place {
  /** From 1. */
  readonly number: number;
  /** The heading that it stands under. */
  readonly phase: string;
  /** What stands before it. */
  readonly words: readonly Words[];
  /** Of the line that opens the block. */
  readonly line: number;
}

export interface Step extends Place {
  readonly work: Work;
  readonly drillOnly: boolean;
  /** Of something in the block. */
  readonly lineOf: (path: readonly PropertyKey[]) => number;
}

interface Block {
  readonly kind: StepKind;
  readonly marks: readonly string[];
  readonly text: string;
}

type Tell = (fault: RunbookFault) => void;

/** Undefined where it is not as it should be, which is told. */
export function readStep({ kind, marks, text }: Block, place: Place, fault: Tell): Step | undefined {
  const { line } = place;
  const unknown = marks.find((mark) => mark !== DRILL);
  if (unknown !== undefined) fault({ line, message: `"${unknown}" is no mark of a block; there is ${DRILL}` });
  const read = { tool: readTool, countersign: readCommand, manual: readManual }[kind](text, line, fault);
  return read && { ...place, ...read, drillOnly: marks.includes(DRILL) };
}

type Read = Pick<Step, "work" | "lineOf"> | undefined;

function readTool(text: string, line: number, fault: Tell): Read {
  const block = readYaml(toolCall, text, line + 1, fault);
  return block && { work: { kind: "tool", tool: block.value }, lineOf: block.lineOf };
}

/** One line, and after a line of --- what is expected of it. */
function readCommand(text: string, line: number, fault: Tell): Read {
  const [first = "", ...more] = text.split("\n");
  const [rule, ...options] = more;
  if (rule !== undefined && rule.trim() !== "---") {
    fault({ line: line + 2, message: "a command is one line; what is expected of it follows a line of ---" });
    return undefined;
  }
  const block = readYaml(commandOptions, options.join("\n"), line + 3, fault);
  const command = block && commandOf(first, block.value, line + 1, fault);
  return (
    command && {
      work: { kind: "countersign", command },
      lineOf: (path) => (path.length ? block.lineOf(path) : line + 1),
    }
  );
}

function readManual(text: string, line: number, fault: Tell): Read {
  const block = readYaml(manualWork, text, line + 1, fault);
  if (!block) return undefined;
  const { do: what, drill } = block.value;
  const at = block.lineOf(["drill"]);
  const instead = drill && insteadOf(drill, at, fault);
  if (drill && !instead) return undefined;
  return { work: { kind: "manual", text: what, drill: instead }, lineOf: block.lineOf };
}

function insteadOf(
  drill: NonNullable<z.output<typeof manualWork>["drill"]>,
  line: number,
  fault: Tell,
): Work | undefined {
  if ("call" in drill) return { kind: "tool", tool: drill };
  if ("hub" in drill) return { kind: "hub", power: drill };
  const { run, ...options } = drill;
  const command = commandOf(run, commandOptions.parse(options), line, fault);
  return command && { kind: "countersign", command };
}

function commandOf(text: string, options: z.output<typeof commandOptions>, line: number, fault: Tell) {
  const split = splitWords(text.trim().replace(/^(npx )?countersign /, ""));
  if (!("fault" in split)) return { ...options, words: split.words };
  fault({ line, message: split.fault });
  return undefined;
}
