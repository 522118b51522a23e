import { cpus, totalmem } from "node:os";

export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** A Markdown table under a line about the machine and the day. */
export function report(rows: readonly Row[], day: Date): string {
  const machine = `${day.toISOString().slice(0, 10)}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}. Hub, PostgreSQL, load and yardstick share the cores.`;
  const lines = rows.map(({ what, value, unit, target }) => `| ${what} | ${shown(value)} ${unit} | ${target ?? ""} |`);
  return [machine, "", "| what | median | target |", "|---|---|---|", ...lines].join("\n");
}

const shown = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
