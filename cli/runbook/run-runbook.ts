import { hash } from "node:crypto";
import { join, resolve } from "node:path";
import { v7 } from "uuid";
import { HubError } from "../../server/errors.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { typed } from "../typed.ts";
import { type Cast, ownCast } from "./cast.ts";
import { checkRunbook } from "./check-runbook.ts";
import { openDrill } from "./drill.ts";
import { dryRun } from "./dry-run.ts";
import { findRunbook, type RunbookFile } from "./find-runbooks.ts";
import { checkInputs, foreseenInputs, givenInputs, isCaptured, SCRATCH } from "./given-inputs.ts";
import { parseRunbook, type Runbook } from "./parse-runbook.ts";
import { performRunbook, type RunResult } from "./perform-runbook.ts";
import { LATER } from "./placeholders.ts";
import type { Program } from "./run-program.ts";
import { Teller } from "./teller.ts";
import { readToolCatalogue } from "./tool-catalogue.ts";
import { Transcript } from "./transcript.ts";

export interface RunOptions {
  readonly drill?: true;
  readonly dryRun?: true;
  readonly set: readonly string[];
  readonly transcript?: string;
  readonly from?: number;
  readonly yes?: true;
  /** How long a step may wait for people. */
  readonly waitSeconds: number;
}

interface Opened extends RunbookFile {
  readonly context: CliContext;
  readonly program: Program;
  readonly options: RunOptions;
  readonly runbook: Runbook;
}

type Mode = "run" | "drill" | "dry-run";

/** Runs a runbook for real, as a drill, or tells what it would do. Throws RUNBOOK_INVALID before anything was run. */
export async function runRunbook(
  context: CliContext,
  program: Program,
  which: string,
  options: RunOptions,
): Promise<void> {
  const found = findRunbook(which);
  const runbook = parseRunbook(found.file, found.name, found.text);
  checkInputs(found.file, runbook.head, runbook.headLine);
  const opened: Opened = { ...found, context, program, options, runbook };
  if (options.drill) return drill(opened);
  if (options.dryRun) return foresee(opened);
  return perform(opened);
}

async function perform(opened: Opened): Promise<void> {
  const { context, program, options } = opened;
  const cast = ownCast(context, program, options);
  if (options.from !== undefined) return goOn(opened, cast, options.from);
  const inputs = givenInputs(opened.runbook.head, options.set);
  check(opened, inputs, 1, false);
  const file = options.transcript ?? join(context.folder.path, "transcripts", `${opened.name}-${v7()}.jsonl`);
  const transcript = begin(opened, cast, inputs, "run", file);
  return play(opened, cast, transcript, { inputs, from: 1 });
}

/** Takes up a run where its transcript ends. Throws CONFLICT where the runbook or the account is another by now. */
async function goOn(opened: Opened, cast: Cast, from: number): Promise<void> {
  const { options, runbook, text, file } = opened;
  if (options.transcript === undefined)
    throw new HubError("INPUT_INVALID", "--from goes on with a run: name its --transcript.", { path: "transcript" });
  if (options.set.length > 0)
    throw new HubError("INPUT_INVALID", "A run that is gone on with has its inputs already.", { path: "set" });
  if (!Number.isInteger(from) || from < 1 || from > runbook.steps.length)
    throw new HubError("INPUT_INVALID", `--from is a step, 1 to ${runbook.steps.length}.`, { path: "from" });
  const transcript = Transcript.reopen(options.transcript);
  const { begun } = transcript;
  const isSame = begun?.mode === "run" && begun.digest === digestOf(text) && begun.accountId === cast.accountId;
  if (!isSame)
    throw new HubError("CONFLICT", `${options.transcript} is of another run, account, or text of ${file}: begin anew.`);
  const inputs = new Map<string, unknown>([...Object.entries(begun.inputs), ...transcript.capturedBefore(from)]);
  check(opened, inputs, from, false);
  return play(opened, cast, transcript, { inputs, from });
}

async function play(
  opened: Opened,
  cast: Cast,
  transcript: Transcript,
  { inputs, from }: { inputs: ReadonlyMap<string, unknown>; from: number },
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const { context, runbook, options } = opened;
  const tell = new Teller(context.terminal, runbook);
  tell.begin(runbook, options.drill ? "drill" : "run");
  try {
    const patience = { approvalMs: options.waitSeconds * 1000, signal };
    const stage = { cast, transcript, tell, patience };
    const goOn = (step: number) =>
      options.drill || transcript.file === undefined ? undefined : goOnCommand(opened.called, step, transcript.file);
    const drill = options.drill === true;
    const result = await performRunbook({ runbook, stage, drill, from, values: inputs, goOn });
    if (result.outcome === "waiting") context.exitCode = EXIT.pending;
    else tell.words(runbook.lastWords);
    tell.end(endInWords(opened, result, transcript.file));
    const { file, records } = transcript;
    if (context.terminal.json)
      context.terminal.show(
        { runbook: runbook.name, ...result, ...(file !== undefined && { transcript: file }), records },
        () => "",
      );
  } finally {
    transcript.close();
  }
}

async function foresee(opened: Opened): Promise<void> {
  const { context, program, options, runbook } = opened;
  const cast = ownCast(context, program, {});
  const inputs = foreseenInputs(runbook.head, options.set);
  check(opened, inputs, 1, false);
  const transcript = begin(opened, cast, inputs, "dry-run", options.transcript);
  const tell = new Teller(context.terminal, runbook);
  tell.begin(runbook, "dry run");
  const steps = await dryRun(runbook, inputs, { cast, tell, transcript });
  transcript.close();
  const refused = steps.filter(({ outcome }) => outcome === "refused").length;
  if (refused > 0) context.exitCode = EXIT.refused;
  tell.end(refused > 0 ? `${refused} of these steps would be refused.` : "Nothing was called but the policy.");
  if (context.terminal.json) context.terminal.show({ runbook: runbook.name, steps }, () => "");
}

/** In a hub of its own, which is gone afterwards: also when a step fails, and on Ctrl-C. */
async function drill(opened: Opened): Promise<void> {
  const { context, program, options, runbook } = opened;
  if (options.from !== undefined)
    throw new HubError("INPUT_INVALID", "A drill begins at its first step.", { path: "from" });
  // before a hub is started for it
  const given = runbook.head.inputs.filter((input) => !isCaptured(input));
  check(opened, new Map([SCRATCH, ...given.map(({ name }) => name)].map((name) => [name, LATER])), 1, true);
  const stop = new AbortController();
  const interrupt = () => stop.abort(new HubError("CANCELLED", "The drill was stopped; nothing of it is left."));
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    await using scene = await openDrill(context, program, stop.signal);
    const inputs = givenInputs(runbook.head, options.set, scene.scratch);
    check(opened, inputs, 1, true);
    const transcript = begin(opened, scene.cast, inputs, "drill", options.transcript);
    await play(opened, scene.cast, transcript, { inputs, from: 1 }, stop.signal);
  } catch (error) {
    if (error instanceof SuppressedError) throw error.error;
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

function check(
  { runbook, context, program }: Opened,
  values: ReadonlyMap<string, unknown>,
  from: number,
  isDrill: boolean,
): void {
  checkRunbook(runbook, { tools: readToolCatalogue(), program: program(context), values, from, drill: isDrill });
}

function begin(
  { name, file, text }: Opened,
  cast: Cast,
  inputs: ReadonlyMap<string, unknown>,
  mode: Mode,
  into: string | undefined,
): Transcript {
  const transcript = Transcript.begin(into === undefined ? undefined : resolve(into));
  transcript.add({
    record: "run",
    runId: v7(),
    runbook: name,
    file,
    digest: digestOf(text),
    mode,
    hub: cast.hubUrl,
    ...(cast.accountId !== undefined && { accountId: cast.accountId }),
    inputs: Object.fromEntries(inputs) as Record<string, string | number | boolean>,
    at: new Date().toISOString(),
  });
  return transcript;
}

/** The command that takes a run up again. */
function goOnCommand(called: string, step: number, transcript: string): string {
  return `npx countersign ${typed(["runbook", "run", called, "--from", String(step), "--transcript", transcript])}`;
}

function endInWords(
  { called }: Opened,
  { outcome, receipts, waiting }: RunResult,
  transcript: string | undefined,
): string {
  if (outcome === "waiting" && waiting)
    return `Step ${waiting.step} waits for ${waiting.needs}: npx countersign approve ${waiting.requestId}\nThen go on: ${goOnCommand(called, waiting.step, transcript ?? "")}`;
  const proof = receipts.length === 0 ? "" : ` These receipts prove it:\n${receipts.map((id) => `  ${id}`).join("\n")}`;
  return `Done.${proof}${transcript === undefined ? "" : `\nTranscript: ${transcript}`}`;
}

const digestOf = (text: string): string => hash("sha256", text);
