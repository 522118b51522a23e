import * as z from "zod";
import { HubError } from "../../server/errors.ts";
import { typed } from "../typed.ts";
import type { Cast } from "./cast.ts";
import { filledWords } from "./command-line.ts";
import type { Runbook } from "./parse-runbook.ts";
import { filled, LATER, laterIn } from "./placeholders.ts";
import type { Step, ToolCall } from "./step.ts";
import type { Teller } from "./teller.ts";
import type { Transcript } from "./transcript.ts";

const simulated = z.object({ outcome: z.string(), words: z.string(), code: z.string().optional() });

/** A step as it would be, and what the policy in force says to it. */
export interface Foreseen {
  readonly step: number;
  readonly what: string;
  /** `runs`, `needs-approval`, ...; absent where the policy cannot be asked yet. */
  readonly outcome?: string;
  readonly code?: string | undefined;
  readonly words: string;
}

/** Shows every step with its values, and asks the hub what its policy would say. Nothing else is called. */
export async function dryRun(
  runbook: Runbook,
  values: ReadonlyMap<string, unknown>,
  { cast, tell, transcript }: { cast: Cast; tell: Teller; transcript: Transcript },
): Promise<Foreseen[]> {
  const foreseen: Foreseen[] = [];
  const known = new Map(values);
  for (const step of runbook.steps.filter(({ drillOnly }) => !drillOnly)) {
    const one = await foresee(step, known, cast, tell);
    foreseen.push(one);
    tell.line(one.outcome === undefined ? one.words : `${one.outcome}: ${one.words}`);
    const { outcome, code, words } = one;
    transcript.add({
      record: "ended",
      step: step.number,
      outcome: "simulated",
      code: code ?? outcome ?? "unknown",
      words,
      at: new Date().toISOString(),
    });
    for (const name of captures(step)) known.set(name, LATER);
  }
  return foreseen;
}

async function foresee(step: Step, known: ReadonlyMap<string, unknown>, cast: Cast, tell: Teller): Promise<Foreseen> {
  const { number, work } = step;
  if (work.kind === "tool") {
    const what = `${work.tool.call} as ${work.tool.as}`;
    tell.step(step, what);
    return { step: number, what, ...(await asked(work.tool, known, cast, tell)) };
  }
  if (work.kind === "hub") throw new TypeError("cannot happen: it stands in for a person in drills alone");
  if (work.kind === "manual") {
    tell.step(step, "for a person to do");
    return { step: number, what: "for a person to do", words: textWith(work.text, known) };
  }
  const done = filledWords(work.command.words, known);
  if ("fault" in done) throw new HubError("RUNBOOK_STOPPED", `Step ${number}: ${done.fault}`);
  const shown = done.words.map((word, at) => (word === LATER ? (work.command.words[at] as string) : word));
  const what = `npx countersign ${typed(shown)}`;
  tell.step(step, what);
  return { step: number, what, words: "A command: it was not run." };
}

async function asked(
  { call, input, as }: ToolCall,
  known: ReadonlyMap<string, unknown>,
  cast: Cast,
  tell: Teller,
): Promise<Pick<Foreseen, "outcome" | "code" | "words">> {
  const value = filled(input, known);
  if (laterIn(value).length > 0) {
    tell.values(input);
    return { words: "Something in its input is not known yet: the policy can be asked when it is." };
  }
  tell.values(value);
  const { outcome, words, code } = await cast
    .hub(as)
    .output(simulated, "system_policy_simulate", { action: call, input: value });
  return { outcome, words, code };
}

/** As it is written where something in it is not known yet. */
function textWith(text: string, known: ReadonlyMap<string, unknown>): string {
  const value = filled(text, known);
  return value === LATER ? text : String(value);
}

function captures({ work }: Step): string[] {
  if (work.kind === "manual" || work.kind === "hub") return [];
  return Object.keys(work.kind === "tool" ? work.tool.capture : work.command.capture);
}
