/** The doors' figures: one read through each of them against the bare SDK, what sessions cost, and whether calls leak. */

import { claimSecret } from "../cli/claim-secret.ts";
import { AGENT, OPERATOR } from "../cli/context.ts";
import { HubClient } from "../cli/hub-client.ts";
import { callWithOwnSignature } from "../cli/run-with-consent.ts";
import { HeapGauge } from "./heap-gauge.ts";
import type { Load, LoadResult } from "./load.ts";
import { modernLoad, olderLoad, openSession, type ToolCall } from "./mcp-load.ts";
import { cpuMs, residentMb, runApart, startEcho } from "./processes.ts";
import { median, type Row } from "./report.ts";
import { type ScratchHub, scratchFolder, startScratchHub } from "./scratch-hub.ts";
import { runStdio } from "./stdio-load.ts";

const ROUNDS = 5;
const CONNECTIONS = 8;
const SESSIONS_EACH = 50;

interface Scale {
  readonly rounds: number;
  readonly requests: number;
  readonly sessions: number;
  readonly leakCalls: number;
}

/** What one door did in one round, with the milliseconds of processor time that a call took of whom. */
interface Measured extends LoadResult {
  readonly cpu: number;
  readonly bridgeCpu?: number;
}

/** `quick` proves in seconds that the benchmark runs; its figures mean nothing. */
export async function doors({ quick }: { quick: boolean }): Promise<Row[]> {
  const scale: Scale = quick
    ? { rounds: 1, requests: 50, sessions: 50, leakCalls: 100 }
    : { rounds: ROUNDS, requests: 2_000, sessions: 1_000, leakCalls: 10_000 };
  using home = scratchFolder();
  const rows: Row[] = [];
  {
    await using scratch = await startScratchHub(home.path);
    rows.push(...(await speeds(scratch, scale)));
  }
  const port = await HeapGauge.freePort();
  await using scratch = await startScratchHub(home.path, { NODE_OPTIONS: `--inspect=127.0.0.1:${port}` });
  using gauge = await HeapGauge.attach(port);
  rows.push(...(await leaks(scratch, gauge, scale)));
  rows.push(...(await sessions(scratch, gauge, scale)));
  return rows;
}

/** All in turn, round by round, so that what else the machine does meets all of them. */
async function speeds({ hub, folder }: ScratchHub, { rounds, requests }: Scale): Promise<Row[]> {
  await using echo = await startEcho();
  const amount = { connections: CONNECTIONS, requests };
  const call = { url: hub.ready.url, token: folder.token(AGENT), tool: "system_identity_whoami", input: {} };
  const bare = modernLoad({ ...call, url: echo.url, tool: "echo", input: { text: "hello" } }, amount);
  const modern = modernLoad(call, amount);
  const older = await olderLoad(call, amount);
  const measures = {
    "SDK v2 echo, one tool, HTTP modern": () => measured(bare, echo.pid),
    "whoami, every tool, HTTP modern": () => measured(modern, hub.child.pid),
    "the same, HTTP older": () => measured(older, hub.child.pid),
    "the same, stdio": () => overStdio(call, hub.child.pid, amount),
  };
  for (const load of [bare, modern, older]) await runApart({ ...load, requests: Math.ceil(requests / 4) });
  const all = new Map<string, Measured[]>(Object.keys(measures).map((name) => [name, []]));
  for (let i = 0; i < rounds; i++)
    for (const [name, measure] of Object.entries(measures)) all.get(name)?.push(await measure());
  const [yardstick = []] = all.values();
  const rows = [...all].flatMap(([name, results]) => rowsOf(name, results, yardstick));
  return [...rows, { what: "hub process after it, resident", value: residentMb(hub.child.pid), unit: "MB" }];
}

async function measured(load: Load, pid: number | undefined): Promise<Measured> {
  const before = cpuMs(pid);
  const result = await runApart(load);
  return { ...result, cpu: (cpuMs(pid) - before) / load.requests };
}

async function overStdio(
  call: ToolCall,
  pid: number | undefined,
  amount: Pick<Load, "connections" | "requests">,
): Promise<Measured> {
  const { hubCpuMs, bridgeCpuMs, ...result } = await runStdio(call, pid, amount);
  return { ...result, cpu: hubCpuMs, bridgeCpu: bridgeCpuMs };
}

function rowsOf(name: string, results: readonly Measured[], yardstick: readonly Measured[]): Row[] {
  const of = (pick: (result: Measured) => number) => median(results.map(pick));
  const isYardstick = results === yardstick;
  const ratio = median(results.map(({ perSecond }, i) => perSecond / (yardstick[i]?.perSecond ?? Number.NaN)));
  return [
    { what: `${name}: throughput`, value: of((r) => r.perSecond), unit: "calls/s" },
    ...(isYardstick
      ? []
      : [
          {
            what: `${name}: share of the echo`,
            value: ratio,
            unit: "",
            ...(name.endsWith("modern") && { target: ">= 0.5" }),
          },
        ]),
    { what: `${name}: p50`, value: of((r) => r.p50), unit: "ms" },
    { what: `${name}: p95`, value: of((r) => r.p95), unit: "ms" },
    { what: `${name}: p99`, value: of((r) => r.p99), unit: "ms" },
    { what: `${name}: processor time a call`, value: of((r) => r.cpu), unit: "ms" },
    ...(results[0]?.bridgeCpu === undefined
      ? []
      : [{ what: `${name}: and of the bridge`, value: of((r) => r.bridgeCpu ?? Number.NaN), unit: "ms" }]),
  ];
}

/** The heap after collection, before and after many calls in both eras; what has to warm up is warm before. */
async function leaks({ hub, folder }: ScratchHub, gauge: HeapGauge, { leakCalls }: Scale): Promise<Row[]> {
  const call = { url: hub.ready.url, token: folder.token(AGENT), tool: "system_identity_whoami", input: {} };
  const amount = { connections: CONNECTIONS, requests: leakCalls / 2 };
  const loads = [modernLoad(call, amount), await olderLoad(call, amount)];
  const calls = async () => {
    for (const load of loads) await runApart(load);
  };
  await calls();
  const before = await gauge.heapMb();
  await calls();
  const after = await gauge.heapMb();
  const what = `heap after ${leakCalls} calls more`;
  return [
    { what: "heap of a warm hub, collected", value: before, unit: "MB" },
    { what, value: ((after - before) / before) * 100, unit: "%", target: "< 5" },
  ];
}

/** Sessions of older clients that do nothing, each opened by its handshake. */
async function sessions(scratch: ScratchHub, gauge: HeapGauge, scale: Scale): Promise<Row[]> {
  const { hub } = scratch;
  const tokens = await agents(scratch, Math.ceil(scale.sessions / SESSIONS_EACH));
  const { url } = hub.ready;
  await openSession({ url, token: tokens[0] });
  const heap = await gauge.heapMb();
  const resident = residentMb(hub.child.pid);
  for (const token of tokens) for (let i = 0; i < SESSIONS_EACH; i++) await openSession({ url, token });
  const grown = (await gauge.heapMb()) - heap;
  return [
    { what: `${scale.sessions} idle sessions of older clients, heap`, value: grown, unit: "MB", target: "< 60" },
    {
      what: "the same, resident",
      value: residentMb(hub.child.pid) - resident,
      unit: "MB",
      target: "< 60",
    },
  ];
}

/** So many agents of the one person, each with a token: sessions are capped for each principal. */
async function agents({ hub, folder }: ScratchHub, count: number): Promise<string[]> {
  const operator = new HubClient(hub.ready.url, folder.token(OPERATOR) ?? "");
  const signed = (action: string, input: unknown) => callWithOwnSignature(operator, folder, action, input);
  const tokens: string[] = [];
  for (let i = 0; i < count; i++) {
    const made = await signed("system_identity_create_principal", {
      kind: "agent",
      name: `idle-${i}`,
      roles: ["agent"],
    });
    const { id: principalId } = made["principal"] as { id: string };
    const { claimId } = await signed("system_identity_issue_token", { principalId, note: "bench" });
    tokens.push((await claimSecret(operator, String(claimId))).secret);
  }
  return tokens;
}
