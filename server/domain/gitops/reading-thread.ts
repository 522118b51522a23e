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
 * Reads what strangers wrote in a thread of its own, which is there for the files of one commit and goes away with it:
 * large and hostile files keep a parser busy for seconds, and the hub's calls must not wait for that. As `includesOf` and
 * `readDesiredState`, and TIMEOUT, CANCELLED. It starts at once; one question at a time.
 */
export class ReadingThread implements AsyncDisposable {
  readonly #signal: AbortSignal;
  readonly #worker: Worker;
  /** Why there is no thread any more. */
  #ended: HubError | undefined;
  #refuse: (error: HubError) => void = () => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.#worker = new Worker(new URL("./reading-worker.ts", import.meta.url), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 1_024, stackSizeMb: 2 },
    });
    this.#worker.once("error", (cause) =>
      this.#end(new HubError("INTERNAL", "The thread that reads files died.", { cause })),
    );
    this.#worker.once("exit", (code) =>
      this.#end(new HubError("INTERNAL", `The thread that reads files ended with ${code}.`)),
    );
  }

  async includes(text: string): Promise<readonly string[]> {
    const answer = await this.#ask({ kind: "includes", text });
    return answer.kind === "includes" ? answer.includes : mismatch();
  }

  async state(files: readonly FleetFile[]): Promise<DesiredState> {
    const answer = await this.#ask({ kind: "state", files });
    return answer.kind === "state" ? answer.state : mismatch();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(new HubError("CANCELLED", "The reading is over."));
    await this.#worker.terminate();
  }

  async #ask(task: ReadingTask): Promise<Exclude<ReadingAnswer, { kind: "refused" }>> {
    this.#signal.throwIfAborted();
    if (this.#ended) throw this.#ended;
    const { promise, resolve, reject } = Promise.withResolvers<ReadingAnswer>();
    this.#refuse = reject;
    const late = () =>
      this.#end(new HubError("TIMEOUT", `Reading the files took longer than ${TIME_LIMIT_MS / 1000} s.`));
    const cancel = () => this.#end(new HubError("CANCELLED", "The reading was cancelled."));
    const limit = setTimeout(late, TIME_LIMIT_MS);
    this.#signal.addEventListener("abort", cancel, { once: true });
    this.#worker.once("message", resolve);
    this.#worker.postMessage(task);
    try {
      const answer = await promise;
      if (answer.kind !== "refused") return answer;
      throw new HubError(answer.code, answer.message, answer.details ? { details: answer.details } : {});
    } finally {
      clearTimeout(limit);
      this.#signal.removeEventListener("abort", cancel);
      this.#worker.removeAllListeners("message");
    }
  }

  /** The first reason counts; a question that is open is refused with it. */
  #end(reason: HubError): void {
    this.#ended ??= reason;
    this.#refuse(this.#ended);
  }
}

function mismatch(): never {
  throw new TypeError("the thread answered another question");
}
