import { Worker } from "node:worker_threads";
import { type ErrorCode, HubError } from "../../errors.ts";
import type { DesiredState } from "./desired-state.ts";
import type { FleetFile } from "./read-fleet-file.ts";

export type ReadingTask =
  | { readonly kind: "includes"; readonly text: string }
  | { readonly kind: "state"; readonly files: readonly FleetFile[] };

/** `state` answers with objects whose places can be looked up here too, as far as references and parameters go. */
export type ReadingAnswer =
  | { readonly kind: "includes"; readonly includes: readonly string[] }
  | { readonly kind: "state"; readonly state: DesiredState }
  | {
      readonly kind: "refused";
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>> | undefined;
    };

/** The longest that one reading may take; 5,000 objects take a second or two, the worst text of full length about four. */
const TIME_LIMIT_MS = 60_000;

/**
 * Reads what strangers wrote in a thread of its own, which goes away with it: large and hostile files keep a parser busy
 * for seconds, and the hub's calls must not wait for that. As `includesOf` and `readDesiredState`, and TIMEOUT,
 * CANCELLED.
 */
export async function includesApart(text: string, signal: AbortSignal): Promise<readonly string[]> {
  const answer = await inThread({ kind: "includes", text }, signal);
  return answer.kind === "includes" ? answer.includes : mismatch();
}

export async function readDesiredStateApart(files: readonly FleetFile[], signal: AbortSignal): Promise<DesiredState> {
  const answer = await inThread({ kind: "state", files }, signal);
  return answer.kind === "state" ? answer.state : mismatch();
}

function mismatch(): never {
  throw new TypeError("the thread answered another question");
}

async function inThread(task: ReadingTask, signal: AbortSignal): Promise<Exclude<ReadingAnswer, { kind: "refused" }>> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./reading-worker.ts", import.meta.url), {
    workerData: task,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 1_024, stackSizeMb: 2 },
  });
  const { promise, resolve, reject } = Promise.withResolvers<ReadingAnswer>();
  const late = () => reject(new HubError("TIMEOUT", `Reading the files took longer than ${TIME_LIMIT_MS / 1000} s.`));
  const cancel = () => reject(new HubError("CANCELLED", "The reading was cancelled."));
  const limit = setTimeout(late, TIME_LIMIT_MS);
  signal.addEventListener("abort", cancel, { once: true });
  worker.once("message", resolve);
  worker.once("error", (cause) => reject(new HubError("INTERNAL", "The thread that reads files died.", { cause })));
  worker.once("exit", (code) => reject(new HubError("INTERNAL", `The thread that reads files ended with ${code}.`)));
  try {
    const answer = await promise;
    if (answer.kind !== "refused") return answer;
    throw new HubError(answer.code, answer.message, answer.details ? { details: answer.details } : {});
  } finally {
    clearTimeout(limit);
    signal.removeEventListener("abort", cancel);
    worker.removeAllListeners("exit");
    await worker.terminate();
  }
}
