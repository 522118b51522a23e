/** What one run of the official suite came to, read from what it prints at its end. */
export interface Score {
  /** Scenarios that count for the run. */
  readonly counted: number;
  readonly passed: number;
  /** Scenarios that passed because nothing in them was checked. */
  readonly hollow: readonly string[];
}

const SCENARIO = /^(✓|✗) ([^\s:]+): (\d+) passed, \d+ failed/gm;
const NOT_SCORED = /^ +[✓✗] (\S+) \(/gm;

export function scoreOf(output: string): Score {
  const aside = new Set([...output.matchAll(NOT_SCORED)].map(([, name]) => name));
  const scenarios = [...output.matchAll(SCENARIO)].map(([, mark, name = "", checks]) => ({
    name,
    passed: mark === "✓",
    checks: Number(checks),
  }));
  const counted = scenarios.filter(({ name }) => !aside.has(name));
  return {
    counted: counted.length,
    passed: counted.filter(({ passed }) => passed).length,
    hollow: scenarios.filter(({ passed, checks }) => passed && checks === 0).map(({ name }) => name),
  };
}
