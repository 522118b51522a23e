/**
 * Reports what is said, one at a time and in its order: of what comes while a report is under way, the last alone is
 * reported. A report that fails costs nothing but itself.
 */
export class LatestReports {
  readonly #report: (sentence: string) => Promise<void>;
  #next: string | undefined;
  #running: Promise<void> | undefined;

  constructor(report: (sentence: string) => Promise<void>) {
    this.#report = report;
  }

  say(sentence: string): void {
    this.#next = sentence;
    this.#running ??= this.#run();
  }

  /** Forgets what waits; resolves when nothing is under way, so that what is reported elsewhere comes after it. */
  async end(): Promise<void> {
    this.#next = undefined;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#next !== undefined) {
      const sentence = this.#next;
      this.#next = undefined;
      await this.#report(sentence).catch(() => {});
    }
    this.#running = undefined;
  }
}
