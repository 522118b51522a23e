/** The processes that a benchmark starts, and what the kernel knows of them (Linux). */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Load, LoadResult } from "./load.ts";

const QUIET = { execArgv: ["--disable-warning=ExperimentalWarning"] };
/** Of /proc/<pid>/stat: USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;

/** The load runs in a process of its own, so that its work is not the measured process's. */
export async function runApart(what: Load): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL("load.ts", import.meta.url)), QUIET);
  child.send(what);
  const [result] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new TypeError(`the load ended with ${String(code)}`))),
  ])) as [LoadResult];
  return result;
}

export async function startEcho() {
  const child = fork(fileURLToPath(new URL("echo-server.ts", import.meta.url)), QUIET);
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    pid: child.pid ?? Number.NaN,
    [Symbol.asyncDispose]: async () => (child.disconnect(), void (await once(child, "exit"))),
  };
}

/** Resident megabytes. */
export function residentMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** Milliseconds of processor time that the process has had. */
export function cpuMs(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS; // utime and stime, counted from the state
}
