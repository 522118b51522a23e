/** The same closed loop as `load.ts`, through the bridge that MCP clients start: so many calls at a time over one pipe. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type LoadResult, spreadOf } from "./load.ts";
import { modernCall, type ToolCall } from "./mcp-load.ts";
import { cpuMs } from "./processes.ts";

const COMMAND = fileURLToPath(new URL("../bin/countersign.js", import.meta.url));

export interface StdioResult extends LoadResult {
  /** Processor time a call, of either process. */
  readonly bridgeCpuMs: number;
  readonly hubCpuMs: number;
}

export async function runStdio(
  { url, token, ...call }: ToolCall,
  hubPid: number | undefined,
  { connections, requests }: { readonly connections: number; readonly requests: number },
): Promise<StdioResult> {
  const env = { ...process.env, COUNTERSIGN_URL: url, COUNTERSIGN_TOKEN: token ?? "" };
  const bridge = spawn(process.execPath, [COMMAND, "stdio", "--no-start"], { env, stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, () => void>();
  createInterface({ input: bridge.stdout }).on("line", (line) => {
    const { id, result } = JSON.parse(line) as { id?: number; result?: { isError?: boolean } };
    if (id === undefined) return;
    if (!result || result.isError) throw new TypeError(`an answer is no success: ${line.slice(0, 300)}`);
    waiting.get(id)?.();
    waiting.delete(id);
  });
  let next = 0;
  const one = async (times: number[], last: number) => {
    while (next < last) {
      const id = next++;
      const began = performance.now();
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(id, resolve);
      bridge.stdin.write(`${JSON.stringify(modernCall(id, call))}\n`);
      await promise;
      times.push(performance.now() - began);
    }
  };
  const round = async (count: number) => {
    const times: number[] = [];
    const last = next + count;
    await Promise.all(Array.from({ length: connections }, () => one(times, last)));
    return times;
  };
  await round(Math.ceil(requests / 4)); // it is started and warm
  const before = { bridge: cpuMs(bridge.pid), hub: cpuMs(hubPid) };
  const began = performance.now();
  const times = await round(requests);
  const seconds = (performance.now() - began) / 1000;
  const bridgeCpuMs = (cpuMs(bridge.pid) - before.bridge) / requests;
  const hubCpuMs = (cpuMs(hubPid) - before.hub) / requests;
  bridge.stdin.end();
  await once(bridge, "exit");
  return { perSecond: requests / seconds, ...spreadOf(times), bridgeCpuMs, hubCpuMs };
}
