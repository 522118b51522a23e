/** Milliseconds; a clock that steps, or a machine that slept, is noticed no later. */
const LONGEST_LOOK_MS = 60_000;

/**
 * Resolves when nobody has been there for `idleMs`. Never, once `signal` fires.
 * @param idleSince since when nobody is there, as `performance.now()` counts; undefined while somebody is
 */
export function whenIdle(idleSince: () => number | undefined, idleMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const look = () => {
      const since = idleSince();
      const left = since === undefined ? idleMs : since + idleMs - performance.now();
      if (left <= 0) resolve();
      else timer = setTimeout(look, Math.min(left, LONGEST_LOOK_MS)).unref();
    };
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
    if (!signal.aborted) look();
  });
}
