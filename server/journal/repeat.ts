export interface Repeating {
  /** Runs soon, or once more after the run under way. */
  wake(): void;
  /** Resolves when the run under way is over; none starts after it. */
  stop(): Promise<void>;
}

/** Runs `work` every so often and when woken, one run at a time. Does not keep the process alive. */
export function repeat(
  work: () => Promise<void>,
  { everyMs, onError }: { everyMs: number; onError: (error: unknown) => void },
): Repeating {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  const rest = () => {
    if (!stopped) timer = setTimeout(run, everyMs).unref();
  };
  const run = () => {
    clearTimeout(timer);
    again = false;
    running = work()
      .catch(onError)
      .finally(() => {
        running = undefined;
        if (again && !stopped) run();
        else rest();
      });
  };
  rest();
  return {
    wake() {
      again = true;
      if (running === undefined && !stopped) run();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
