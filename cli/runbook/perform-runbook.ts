import { ERROR_WORDS } from "../../contracts/errors/error-words.ts";
import { HubError } from "../../server/errors.ts";
import { printableJson } from "../terminal.ts";
import { workIn } from "./check-runbook.ts";
import type { Runbook } from "./parse-runbook.ts";
import { type Done, performStep, type Stage, type Waits } from "./perform-step.ts";
import { withoutSecrets } from "./secret-looking.ts";
import type { Step } from "./step.ts";
import type { EndedStep } from "./transcript.ts";

/** Of what a step said: on the terminal, and in the transcript. */
const MOST_LINES = 12;
const MOST_WORDS = 2_000;

/** How a run ended, and what proves it. */
export interface RunResult {
  readonly outcome: "done" | "waiting";
  readonly receipts: readonly string[];
  readonly waiting?: Waits & { readonly step: number };
}

export interface Performance {
  readonly runbook: Runbook;
  readonly stage: Stage;
  readonly drill: boolean;
  /** The first step to do. */
  readonly from: number;
  /** The command that goes on at a step; none where there is nothing to go on with. */
  readonly goOn: (step: number) => string | undefined;
  /** Inputs, and what earlier steps captured. */
  readonly values: ReadonlyMap<string, unknown>;
}

/**
 * Does the steps in order. Ends early where people have not agreed in time. Throws RUNBOOK_STOPPED at the first step that
 * ends otherwise than expected, and what keeps the hub from answering; the transcript has the rest.
 */
export async function performRunbook({ runbook, stage, drill, from, values, goOn }: Performance): Promise<RunResult> {
  const { transcript, tell, patience } = stage;
  const known = new Map(values);
  const over = (outcome: "done" | "stopped" | "waiting") => {
    const receipts = transcript.receipts();
    transcript.add({ record: "over", outcome, receipts, at: new Date().toISOString() });
    return receipts;
  };
  for (const step of runbook.steps.slice(from - 1)) {
    patience.signal.throwIfAborted();
    if (step.drillOnly && !drill) continue;
    const work = workIn(step.work, drill);
    if (work.kind === "manual" && drill) {
      skip(step, stage);
      continue;
    }
    const done = await performStep(step, work, known, stage).catch((error: unknown) => {
      const next = goOn(step.number);
      if (next !== undefined) tell.line(`Go on with: ${next}`);
      throw error;
    });
    if ("needs" in done)
      return { outcome: "waiting", receipts: over("waiting"), waiting: { ...done, step: step.number } };
    transcript.add(recorded(step, done));
    if (done.wrong) {
      over("stopped");
      throw stopped(runbook, step, done, goOn(step.number));
    }
    told(tell, done);
    for (const [name, found] of Object.entries(done.captured)) known.set(name, found);
  }
  return { outcome: "done", receipts: over("done") };
}

/** What only a person can do, and has no alternative in a drill, is told and passed over. */
function skip(step: Step, { tell, transcript }: Stage): void {
  tell.step(step, "for a person to do");
  if (step.work.kind === "manual") tell.line(step.work.text);
  tell.line("Passed over: this is a drill.");
  transcript.add({
    record: "ended",
    step: step.number,
    outcome: "skipped",
    code: "OK",
    words: "For a person to do; passed over in a drill.",
    at: new Date().toISOString(),
  });
}

function recorded(step: Step, { code, words, receiptId, requestId, captured, wrong }: Done): EndedStep {
  return {
    record: "ended",
    step: step.number,
    outcome: wrong ? "otherwise" : "as-expected",
    code,
    words: withoutSecrets(words).slice(0, MOST_WORDS),
    ...(receiptId !== undefined && { receiptId }),
    ...(requestId !== undefined && { requestId }),
    ...(Object.keys(captured).length > 0 && { captured: captured as NonNullable<EndedStep["captured"]> }),
    at: new Date().toISOString(),
  };
}

function told(tell: Stage["tell"], { code, words, shown, receiptId, captured }: Done): void {
  if (code !== "OK" && code !== "exit 0") tell.line(`${code}, as expected.`);
  const lines = shown ? [] : words.split("\n");
  for (const line of lines.slice(0, MOST_LINES)) tell.line(line);
  if (lines.length > MOST_LINES) tell.line(`(${lines.length - MOST_LINES} more lines)`);
  for (const [name, value] of Object.entries(captured)) tell.line(`${name} = ${printableJson(value)}`);
  if (receiptId !== undefined && !words.includes(receiptId)) tell.line(`receipt ${receiptId}`);
}

function stopped(runbook: Runbook, step: Step, done: Done, goOn: string | undefined): HubError {
  const { what, expected, found } = done.wrong as NonNullable<Done["wrong"]>;
  const place = `${runbook.file}:${step.line}`;
  const shown = found === undefined ? "nothing" : printableJson(found);
  const means = Object.hasOwn(ERROR_WORDS, done.code) ? ERROR_WORDS[done.code as keyof typeof ERROR_WORDS].means : "";
  const next = goOn === undefined ? "" : `\nWhen that is mended, go on with: ${goOn}`;
  const receiptId = done.receiptId;
  return new HubError(
    "RUNBOOK_STOPPED",
    `Step ${step.number} (${place}): ${what}: expected ${expected}, found ${shown}.\n${done.words}${means === "" ? "" : `\n${done.code}: ${means}`}${next}`,
    {
      details: {
        step: step.number,
        place,
        expected,
        found: found ?? null,
        code: done.code,
        ...(receiptId !== undefined && { receiptId }),
        ...(goOn !== undefined && { goOn }),
      },
    },
  );
}
