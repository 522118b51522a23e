import type { Progress } from "../../../contracts/operations/progress.ts";
import type { DoorCall } from "./catalogue.ts";

/** What a sentence adds while no step is done: each notification's number has to be greater than the last (MCP, progress). */
const NEXT_SENTENCE = 0.001;

/**
 * Tells one client how far its call is. Numbers only grow: work that begins anew after a crash stands where it was until
 * it has caught up, and a new sentence about the same step counts a thousandth.
 */
export class CallProgress {
  readonly #call: Pick<DoorCall, "progress">;
  #last = -1;
  #sending: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(call: Pick<DoorCall, "progress">) {
    this.#call = call;
  }

  readonly tell = ({ done, total, sentence }: Progress): void => {
    const next = done > this.#last ? done : this.#last + NEXT_SENTENCE;
    // no sentence makes unfinished work look finished
    if (this.#ended || next > total || (next === total && done < total)) return;
    this.#last = next;
    const send = () => this.#call.progress(next, total, sentence);
    // a client that is gone is told by nobody; its call ends by its signal
    this.#sending = this.#sending.then(send).catch(() => {});
  };

  /** Resolves when all is sent: nothing comes after the answer. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#sending;
  }
}
