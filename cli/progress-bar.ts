import { SingleBar } from "cli-progress";
import type { Progress } from "../contracts/operations/progress.ts";
import { cutText } from "./text-width.ts";

const BAR_WIDTH = 20;
/** A sentence that changes while no step is done is told on a line of its own no more often than this. */
const LINE_EVERY_MS = 5_000;

/** Shows how far long work is; whoever opened it disposes of it when the work is over. */
export interface ProgressBar extends Disposable {
  show(progress: Progress): void;
}

/**
 * A bar that stays on the last line of a terminal. `clear` takes it away so that something else can be written there;
 * what is shown next brings it back.
 */
export class TerminalBar implements ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  #bar: SingleBar | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show({ done, total, sentence }: Progress): void {
    const bar = (this.#bar ??= this.#start(total, done, sentence));
    bar.setTotal(total);
    bar.update(done, { sentence });
  }

  clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #start(total: number, done: number, sentence: string): SingleBar {
    const bar = new SingleBar({
      stream: this.#stream,
      format: (
        { barCompleteString = "", barIncompleteString = "" },
        { progress, value, total: of, maxWidth },
        told,
      ) => {
        const filled = Math.floor(progress * BAR_WIDTH);
        const drawn = barCompleteString.slice(0, filled) + barIncompleteString.slice(0, BAR_WIDTH - filled);
        return cutText(`[${drawn}] ${value}/${of} ${String(told.sentence)}`, maxWidth - 1);
      },
      barsize: BAR_WIDTH,
      barCompleteChar: "#",
      barIncompleteChar: "-",
      clearOnComplete: true,
      // one line that is never too long: the terminal is left as it was, also where an interrupt ends the program
      linewrap: true,
      gracefulExit: false,
    });
    bar.start(total, done, { sentence });
    return bar;
  }
}

/** Lines for each step that is done, or no more often than LINE_EVERY_MS whatever is done. */
export type ProgressPace = "each step" | "now and then";

/** Where no person looks: a line for each step that is done, and now and then for the sentence about the one under way. */
export class ProgressLines implements ProgressBar {
  readonly #write: (line: string) => void;
  readonly #now: () => number;
  readonly #pace: ProgressPace;
  #last: { readonly line: string; readonly done: number; readonly at: number } | undefined;

  constructor(
    write: (line: string) => void,
    now: () => number = () => performance.now(),
    pace: ProgressPace = "each step",
  ) {
    this.#write = write;
    this.#now = now;
    this.#pace = pace;
    // what is over soon is told by its result alone
    if (pace === "now and then") this.#last = { line: "", done: 0, at: now() };
  }

  show({ done, total, sentence }: Progress): void {
    const line = `[${done}/${total}] ${sentence}`;
    const at = this.#now();
    const last = this.#last;
    const isStep = this.#pace === "each step" && last?.done !== done;
    if (last && (last.line === line || (!isStep && at - last.at < LINE_EVERY_MS))) return;
    this.#write(line);
    this.#last = { line, done, at };
  }

  [Symbol.dispose](): void {}
}
