import { closeSync, constants, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod";
import { HubError } from "../../server/errors.ts";

/**
 * What was done in a run, as JSON Lines: one record as it begins, one for each thing that happens, one at the end. It names
 * receipts and holds no secret: of answers, only what a step captures.
 */
const value = z.union([z.string(), z.number(), z.boolean()]);

const begun = z.strictObject({
  record: z.literal("run"),
  runId: z.string(),
  runbook: z.string(),
  file: z.string(),
  digest: z.string().describe("SHA-256 of the runbook's text, hexadecimal"),
  mode: z.enum(["run", "drill", "dry-run"]),
  hub: z.string(),
  accountId: z.string().optional(),
  inputs: z.record(z.string(), value),
  at: z.string(),
});

const step = { step: z.int().min(1), at: z.string() };

/** Written before a call is sent: one whose answer is lost is asked for again with the same key, and not done twice. */
const asked = z.strictObject({
  record: z.literal("asked"),
  ...step,
  line: z.int(),
  what: z.string().describe("the tool, or the command as it is typed"),
  as: z.string().optional(),
  input: z.json().optional(),
  key: z.string().optional(),
});

const waiting = z.strictObject({
  record: z.literal("waiting"),
  ...step,
  requestId: z.string(),
  needs: z.string(),
  receiptId: z.string().optional(),
});

const signed = z.strictObject({ record: z.literal("signed"), ...step, requestId: z.string(), by: z.string() });

const ended = z.strictObject({
  record: z.literal("ended"),
  ...step,
  outcome: z.enum(["as-expected", "otherwise", "skipped", "simulated"]),
  code: z.string(),
  words: z.string(),
  receiptId: z.string().optional(),
  requestId: z.string().optional(),
  captured: z.record(z.string(), z.json()).optional(),
});

const over = z.strictObject({
  record: z.literal("over"),
  outcome: z.enum(["done", "stopped", "waiting"]),
  receipts: z.array(z.string()),
  at: z.string(),
});

const record = z.discriminatedUnion("record", [begun, asked, waiting, signed, ended, over]);
export type TranscriptRecord = z.output<typeof record>;
export type Begun = z.output<typeof begun>;
export type EndedStep = z.output<typeof ended>;

export class Transcript {
  readonly file: string | undefined;
  readonly #records: TranscriptRecord[];
  readonly #descriptor: number | undefined;

  private constructor(file: string | undefined, descriptor: number | undefined, records: TranscriptRecord[]) {
    this.file = file;
    this.#descriptor = descriptor;
    this.#records = records;
  }

  /** A new one; kept in memory alone where no file is named. Throws ALREADY_EXISTS for a file that is there. */
  static begin(file: string | undefined): Transcript {
    if (file === undefined) return new Transcript(undefined, undefined, []);
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      return new Transcript(file, openSync(file, "ax", 0o600), []);
    } catch (cause) {
      throw (cause as NodeJS.ErrnoException).code === "EEXIST"
        ? new HubError(
            "ALREADY_EXISTS",
            `${file} is there already: go on with it by --from <step>, or name another file.`,
          )
        : unusable(file, cause);
    }
  }

  /** One to go on with. A last line that a crash cut off is left out. Throws INPUT_INVALID for what is no transcript. */
  static reopen(file: string): Transcript {
    const text = textOf(file);
    const records = readRecords(file, text);
    try {
      const descriptor = openSync(file, constants.O_APPEND | constants.O_WRONLY);
      const transcript = new Transcript(file, descriptor, records);
      // what was cut off ends here, so that the next record has a line of its own
      if (!text.endsWith("\n")) writeSync(descriptor, "\n");
      return transcript;
    } catch (cause) {
      throw unusable(file, cause);
    }
  }

  get records(): readonly TranscriptRecord[] {
    return this.#records;
  }

  get begun(): Begun | undefined {
    return this.#records.find((one) => one.record === "run");
  }

  /** On the disk before anything else happens. */
  add(one: TranscriptRecord): void {
    this.#records.push(one);
    if (this.#descriptor === undefined) return;
    writeSync(this.#descriptor, `${JSON.stringify(one)}\n`);
    fsyncSync(this.#descriptor);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }

  /** Captured by the steps before this one. */
  capturedBefore(step: number): Map<string, unknown> {
    const captured = new Map<string, unknown>();
    for (const one of this.#ended())
      if (one.step < step && one.outcome === "as-expected")
        for (const [name, found] of Object.entries(one.captured ?? {})) captured.set(name, found);
    return captured;
  }

  /** What a step asked for last and has no answer to: its key, and the request that waits for people. */
  unanswered(step: number): { readonly key?: string | undefined; readonly requestId?: string } | undefined {
    let open: { key?: string | undefined; requestId?: string } | undefined;
    for (const one of this.#records) {
      if (!("step" in one) || one.step !== step) continue;
      if (one.record === "asked") open = { key: one.key };
      else if (one.record === "waiting") open = { ...open, requestId: one.requestId };
      else if (one.record === "ended") open = undefined;
    }
    return open;
  }

  /** Every receipt that it names, in the order of the steps. */
  receipts(): string[] {
    return this.#ended().flatMap(({ receiptId }) => receiptId ?? []);
  }

  #ended(): EndedStep[] {
    return this.#records.filter((one) => one.record === "ended");
  }
}

function readRecords(file: string, text: string): TranscriptRecord[] {
  const lines = text.split("\n");
  const records: TranscriptRecord[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const read = record.safeParse(parsed(line));
    if (read.success) records.push(read.data);
    // the process was ended while it wrote this one: what comes after a cut line was written later
    else if (records.length === 0 || parsed(line) !== undefined)
      throw new HubError("INPUT_INVALID", `${file}:${index + 1} is no record of a transcript.`, { path: "transcript" });
  }
  return records;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new HubError("INPUT_INVALID", `${file} cannot be read: ${(cause as Error).message}`, {
      path: "transcript",
      cause,
    });
  }
}

function unusable(file: string, cause: unknown): HubError {
  return new HubError("DATA_FOLDER_UNUSABLE", `${file} cannot be written: ${(cause as Error).message}`, { cause });
}
