import { setTimeout as pause } from "node:timers/promises";
import { v7 } from "uuid";
import type * as z from "zod";
import { HubError } from "../../server/errors.ts";
import { typed } from "../typed.ts";
import { type CallEnded, type CallWaits, callTool, endOfRequest } from "./call-tool.ts";
import type { Cast } from "./cast.ts";
import { filledWords } from "./command-line.ts";
import { type Matcher, mismatch } from "./matcher.ts";
import { filled, type Values } from "./placeholders.ts";
import { refuseSecret } from "./secret-looking.ts";
import type { CommandCall, HubPower, Step, ToolCall, Work } from "./step.ts";
import type { Teller } from "./teller.ts";
import type { Transcript } from "./transcript.ts";
import { parsePath, valueAt } from "./value-path.ts";

/** How long a call may wait for people, and between two looks. */
export interface Patience {
  readonly approvalMs: number;
  readonly signal: AbortSignal;
}

type Json = z.core.util.JSONType;

const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 2_000;
const LOOKS = 200;

/** What came of a step, before it is held against what was expected. */
export interface Done {
  readonly code: string;
  readonly words: string;
  /** Whether a person has seen these already. */
  readonly shown?: boolean;
  readonly output?: unknown;
  readonly receiptId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly captured: Readonly<Record<string, unknown>>;
  /** What was expected and was not so. */
  readonly wrong?: { readonly what: string; readonly expected: string; readonly found: unknown };
}

/** People have not agreed in time: the run is gone on with later. */
export interface Waits {
  readonly code: "APPROVAL_PENDING";
  readonly requestId: string;
  readonly needs: string;
}

export interface Stage {
  readonly cast: Cast;
  readonly transcript: Transcript;
  readonly tell: Teller;
  readonly patience: Patience;
}

/** Does one step for real, tells it, and writes down what has to be known to go on after a crash. */
export async function performStep(step: Step, work: Work, values: Values, stage: Stage): Promise<Done | Waits> {
  if (work.kind === "tool") return new ToolStep(step, work.tool, values, stage).perform();
  if (work.kind === "countersign") return performCommand(step, work.command, values, stage);
  if (work.kind === "hub") return performPower(step, filled(work.power, values) as HubPower, stage);
  return performManual(step, filled(work.text, values) as string, stage);
}

class ToolStep {
  readonly #step: Step;
  readonly #tool: ToolCall;
  readonly #values: Values;
  readonly #stage: Stage;
  readonly #input: unknown;

  constructor(step: Step, tool: ToolCall, values: Values, stage: Stage) {
    this.#step = step;
    this.#tool = tool;
    this.#values = values;
    this.#stage = stage;
    this.#input = filled(tool.input, values);
  }

  async perform(): Promise<Done | Waits> {
    const { tell } = this.#stage;
    tell.step(this.#step, `${this.#tool.call} as ${this.#tool.as}`);
    tell.values(this.#input);
    const repeats = Object.keys(this.#tool.until).length > 0;
    if (repeats) this.#asked();
    const giveUp = Date.now() + this.#tool.within * 1000;
    // each look leaves a receipt: what takes days is not looked at every second
    const longest = Math.max(LAST_LOOK_MS, (this.#tool.within * 1000) / LOOKS);
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.5, longest)) {
      const ended = await this.#once();
      if ("needs" in ended) return ended;
      const missing = ended.code === "OK" ? this.#wrong(this.#tool.until, ended.output) : undefined;
      if (!repeats || !missing) return this.#judged(ended);
      if (Date.now() >= giveUp)
        return this.#judged(ended, { ...missing, what: `after ${this.#tool.within} s, ${missing.what}` });
      await pause(wait, undefined, { signal: this.#stage.patience.signal });
    }
  }

  async #once(): Promise<CallEnded | Waits> {
    const { cast, transcript } = this.#stage;
    const hub = cast.hub(this.#tool.as);
    const { call, until } = this.#tool;
    // a read that is repeated has to be answered anew
    if (Object.keys(until).length > 0) return ended(await callTool(hub, call, this.#input));
    const open = transcript.unanswered(this.#step.number);
    if (open?.requestId !== undefined) return this.#agreed(open.requestId);
    const key = open?.key ?? v7();
    if (open?.key === undefined) this.#asked(key);
    const answer = await callTool(hub, call, this.#input, key);
    if (answer.status === "ended") return answer;
    return this.#waiting(answer);
  }

  #asked(key?: string): void {
    refuseSecret("input", this.#input);
    this.#stage.transcript.add({
      record: "asked",
      step: this.#step.number,
      line: this.#step.line,
      what: this.#tool.call,
      as: this.#tool.as,
      input: this.#input as Json,
      ...(key !== undefined && { key }),
      at: new Date().toISOString(),
    });
  }

  async #waiting({ requestId, needs, headline, receiptId }: CallWaits): Promise<CallEnded | Waits> {
    const { transcript, tell } = this.#stage;
    if (this.#tool.expect.code === "APPROVAL_PENDING")
      return { status: "ended", code: "APPROVAL_PENDING", words: headline, receiptId, requestId };
    transcript.add({
      record: "waiting",
      step: this.#step.number,
      requestId,
      needs,
      receiptId,
      at: new Date().toISOString(),
    });
    tell.line(`Waits for ${needs}: npx countersign approve ${requestId}`);
    return this.#agreed(requestId, needs);
  }

  async #agreed(requestId: string, needs = "people"): Promise<CallEnded | Waits> {
    const { cast, transcript, tell, patience } = this.#stage;
    const hub = cast.hub(this.#tool.as);
    const before = await endOfRequest(hub, requestId);
    if (before) return before;
    for (const by of await cast.sign(requestId)) {
      transcript.add({ record: "signed", step: this.#step.number, requestId, by, at: new Date().toISOString() });
      tell.line(`Signed by ${by}.`);
    }
    const giveUp = Date.now() + patience.approvalMs;
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.5, LAST_LOOK_MS)) {
      const ended = await endOfRequest(hub, requestId);
      if (ended) return ended;
      if (Date.now() >= giveUp) return { code: "APPROVAL_PENDING", requestId, needs };
      await pause(wait, undefined, { signal: patience.signal });
    }
  }

  #judged({ code, words, output, receiptId, requestId }: CallEnded, missing?: Done["wrong"]): Done {
    const { expect, capture } = this.#tool;
    const wrong =
      missing ??
      (code === expect.code
        ? this.#wrong(expect.output, output)
        : { what: "it ended", expected: expect.code, found: code });
    const taken = wrong ? { captured: {} } : captured(capture, output);
    return { code, words, output, receiptId, requestId, ...(wrong && { wrong }), ...taken };
  }

  #wrong(wanted: Readonly<Record<string, Matcher>>, output: unknown): Done["wrong"] {
    return firstWrong(wanted, output, this.#values);
  }
}

/** Reads wait for nobody, unless a policy says so. */
function ended(answer: CallEnded | CallWaits): CallEnded {
  if (answer.status === "ended") return answer;
  const { requestId, needs, receiptId } = answer;
  return { status: "ended", code: "APPROVAL_PENDING", words: `It waits for ${needs}.`, receiptId, requestId };
}

async function performCommand(step: Step, command: CommandCall, values: Values, stage: Stage): Promise<Done> {
  const done = filledWords(command.words, values);
  if ("fault" in done) throw new HubError("RUNBOOK_STOPPED", `Step ${step.number}: ${done.fault}`);
  const words = done.words as readonly string[];
  for (const word of words) refuseSecret("an argument", word);
  const line = `npx countersign ${typed(words)}`;
  stage.tell.step(step, line);
  stage.transcript.add({
    record: "asked",
    step: step.number,
    line: step.line,
    what: line,
    at: new Date().toISOString(),
  });
  const wantsJson = Object.keys(command.capture).length + Object.keys(command.expect.output).length > 0;
  const { exit, said, shown, output } = await stage.cast.command(words, wantsJson);
  const wrong =
    exit === command.exit
      ? firstWrong(command.expect.output, output, values)
      : { what: "it ended with exit code", expected: String(command.exit), found: exit };
  const receipt = valueAt(output, ["receipt", "id"]) ?? valueAt(output, ["receiptId"]);
  return {
    code: `exit ${exit}`,
    words: said,
    shown,
    output,
    ...(typeof receipt === "string" && { receiptId: receipt }),
    ...(wrong && { wrong }),
    captured: {},
    ...(!wrong && captured(command.capture, output)),
  };
}

async function performPower(step: Step, power: HubPower, { cast, tell, transcript }: Stage): Promise<Done> {
  const what = power.hub === "stop" ? "the drill's hub is stopped" : `the drill's hub starts with ${power.dataDir}`;
  tell.step(step, what);
  transcript.add({ record: "asked", step: step.number, line: step.line, what, at: new Date().toISOString() });
  await cast.power?.(power);
  return { code: "OK", words: power.hub === "stop" ? "It ended." : "It serves.", captured: {} };
}

async function performManual(step: Step, text: string, { cast, tell, transcript }: Stage): Promise<Done> {
  tell.step(step, "for a person to do");
  tell.line(text);
  transcript.add({
    record: "asked",
    step: step.number,
    line: step.line,
    what: "for a person to do",
    at: new Date().toISOString(),
  });
  if (await cast.done("Is it done?")) return { code: "OK", words: "Done, a person says.", captured: {} };
  return {
    code: "CONFIRMATION_DECLINED",
    words: "Nobody said that it is done. (Where nobody can be asked, --yes says so.)",
    captured: {},
    wrong: { what: "a person's word that it is done", expected: "yes", found: "no" },
  };
}

function firstWrong(wanted: Readonly<Record<string, Matcher>>, output: unknown, values: Values): Done["wrong"] {
  for (const [path, one] of Object.entries(wanted)) {
    const found = valueAt(output, parsePath(path) ?? []);
    const expected = mismatch(filled(one, values) as Matcher, found);
    if (expected !== undefined) return { what: path, expected, found };
  }
  return undefined;
}

/** Where the answer has nothing to capture, that is what is wrong with it. */
function captured(capture: Readonly<Record<string, string>>, output: unknown): Pick<Done, "captured" | "wrong"> {
  const taken: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(capture)) {
    const found = valueAt(output, parsePath(path) ?? []);
    if (found === undefined || found === null)
      return { captured: {}, wrong: { what: path, expected: `something to keep as ${name}`, found } };
    refuseSecret(name, found);
    taken[name] = found;
  }
  return { captured: taken };
}
