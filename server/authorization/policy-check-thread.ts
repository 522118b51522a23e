import { Worker } from "node:worker_threads";
import type { PolicyDocument } from "../../contracts/policy/policy-document.ts";
import { HubError } from "../errors.ts";
import type { PolicyVocabulary } from "./cedar-schema.ts";
import type { CheckedDocument } from "./check-document.ts";

export type FromWorker = "ready" | { readonly checked: CheckedDocument };

export interface ThreadLimits {
  /** Milliseconds that one document may take. Sixty policies take a quarter of a second. */
  readonly timeMs: number;
  /** Milliseconds after the last document at which the thread, and its 40 MB, are given back. */
  readonly idleMs: number;
  /** Documents that may wait. */
  readonly waiting: number;
}

interface Job {
  readonly document: PolicyDocument;
  readonly done: PromiseWithResolvers<CheckedDocument>;
}

const DEFAULT_LIMITS: ThreadLimits = { timeMs: 3_000, idleMs: 10_000, waiting: 32 };

/**
 * Checks policy documents in a thread of its own: a hostile one can keep a validator busy for long (11 KB took 0.4 s)
 * or kill its engine, and the hub's calls must not wait for either. The thread starts when needed and ends when idle.
 */
export class PolicyCheckThread {
  readonly #vocabulary: PolicyVocabulary;
  readonly #limits: ThreadLimits;
  readonly #waiting: Job[] = [];
  #worker: Worker | undefined;
  #ready = false;
  #current: Job | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ json, groups, mayLoosen }: PolicyVocabulary, limits: Partial<ThreadLimits> = {}) {
    this.#vocabulary = { json, groups, mayLoosen };
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Throws TIMEOUT where the document takes too long, or too many wait; INTERNAL where the thread dies of it. */
  check(document: PolicyDocument): Promise<CheckedDocument> {
    if (this.#waiting.length >= this.#limits.waiting) {
      return Promise.reject(new HubError("TIMEOUT", "Too many policy documents wait to be checked; try again."));
    }
    const job = { document, done: Promise.withResolvers<CheckedDocument>() };
    this.#waiting.push(job);
    this.#next();
    return job.done.promise;
  }

  /** Ends the thread; what waits is refused. */
  async close(): Promise<void> {
    const stopped = new HubError("DRAINING", "The hub is stopping.");
    for (const job of this.#waiting.splice(0)) job.done.reject(stopped);
    await this.#end(stopped);
  }

  #next(): void {
    const worker = (this.#worker ??= this.#start());
    if (this.#current || !this.#ready) return;
    clearTimeout(this.#timer);
    const job = this.#waiting.shift();
    if (!job) {
      worker.unref();
      this.#timer = setTimeout(() => void this.#end(), this.#limits.idleMs).unref();
      return;
    }
    worker.ref();
    this.#current = job;
    const late = new HubError(
      "TIMEOUT",
      `Checking this policy took longer than ${this.#limits.timeMs} ms: make it simpler.`,
    );
    this.#timer = setTimeout(() => void this.#end(late), this.#limits.timeMs);
    worker.postMessage(job.document);
  }

  #start(): Worker {
    // a stack smaller than the main thread's: what passes here does not overflow there
    const worker = new Worker(new URL("./check-worker.ts", import.meta.url), {
      workerData: this.#vocabulary,
      resourceLimits: { maxOldGenerationSizeMb: 256, stackSizeMb: 1 },
    });
    worker.on("message", (message: FromWorker) => {
      if (worker !== this.#worker) return;
      if (message === "ready") this.#ready = true;
      else {
        this.#current?.done.resolve(message.checked);
        this.#current = undefined;
      }
      this.#next();
    });
    worker.on("error", (cause) => {
      if (worker !== this.#worker) return;
      // without a current document the thread could not even start: then nobody who waits can be served
      const jobs = this.#current ? [] : this.#waiting.splice(0);
      const died = new HubError("INTERNAL", "The thread that checks policies died.", { cause });
      for (const job of jobs) job.done.reject(died);
      void this.#end(died);
    });
    return worker;
  }

  async #end(reason?: HubError): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#ready = false;
    clearTimeout(this.#timer);
    if (reason) this.#current?.done.reject(reason);
    this.#current = undefined;
    if (this.#waiting.length > 0) this.#next();
    await worker?.terminate();
  }
}
