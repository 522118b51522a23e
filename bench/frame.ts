/** The frame's figures: starting, an idle hub's memory, a read against the bare SDK, governed writes. */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { AGENT, OPERATOR } from "../cli/context.ts";
import { HubClient } from "../cli/hub-client.ts";
import { callWithOwnSignature } from "../cli/run-with-consent.ts";
import type { PolicyDocument } from "../contracts/policy/policy-document.ts";
import type { LoadResult } from "./load.ts";
import { modernLoad } from "./mcp-load.ts";
import { residentMb, runApart, startEcho } from "./processes.ts";
import { median, type Row } from "./report.ts";
import { type ScratchHub, scratchFolder, startScratchHub } from "./scratch-hub.ts";

const ROUNDS = 5;

/** `quick` proves in seconds that the benchmark runs; its figures mean nothing. */
export async function frame({ quick }: { quick: boolean }): Promise<Row[]> {
  using home = scratchFolder();
  const rounds = quick ? 1 : ROUNDS;
  const requests = quick ? 50 : 4_000;
  const rows: Row[] = [];
  const first = await startScratchHub(home.path);
  rows.push({ what: "first start", value: first.startMs / 1000, unit: "s", target: "< 10" });
  await first.hub.stop();
  const starts: number[] = [];
  for (let i = 0; i < rounds; i++) {
    await using again = await startScratchHub(home.path);
    starts.push(again.startMs / 1000);
  }
  rows.push({ what: "second start (hub process ready)", value: median(starts), unit: "s", target: "< 3" });

  await using scratch = await startScratchHub(home.path);
  rows.push({ what: "commit of the disk (fdatasync of 8 kB)", value: commitMs(scratch.dataDir), unit: "ms" });
  await loosenPuts(scratch);
  await someReceipts(scratch, quick ? 25 : 200);
  rows.push(...(await reads(scratch, rounds, requests)));
  rows.push(...(await writes(scratch, rounds, requests)));
  rows.push({ what: "hub process after the load, resident", value: residentMb(scratch.hub.child.pid), unit: "MB" });

  await using idle = await startScratchHub(join(home.path, "idle"));
  await new Promise((resolve) => setTimeout(resolve, quick ? 100 : 5_000));
  rows.push({ what: "idle hub process, resident", value: residentMb(idle.hub.child.pid), unit: "MB", target: "< 180" });
  return rows;
}

/** What the account's policy has to say for the write figures: puts run at once. */
async function loosenPuts({ folder, hub }: ScratchHub): Promise<void> {
  const operator = new HubClient(hub.ready.url, folder.token(OPERATOR) ?? "");
  const document: PolicyDocument = {
    apiVersion: "countersign/v1",
    kind: "Policy",
    authorization: { cedar: "" },
    intervention: {
      rules: [
        {
          id: "bench/puts",
          why: "The benchmark measures the hub, not people.",
          actions: ["system_fleet_put_object"],
          outcome: "auto",
          loosens: true,
        },
      ],
    },
  };
  await callWithOwnSignature(operator, folder, "system_policy_put", { document, baseVersion: 1 });
}

async function someReceipts({ folder, hub }: ScratchHub, count: number): Promise<void> {
  const agent = new HubClient(hub.ready.url, folder.token(AGENT) ?? "");
  for (let i = 0; i < count; i++) await agent.call("system_identity_whoami");
}

async function reads(scratch: ScratchHub, rounds: number, requests: number): Promise<Row[]> {
  await using echo = await startEcho();
  const hubLoad = load(scratch, "system_journal_list_receipts", { limit: 20 }, 8, requests);
  const echoLoad = {
    ...load(scratch, "echo", { text: "hello" }, 8, requests),
    url: echo.url,
  };
  const hub: LoadResult[] = [];
  const bare: LoadResult[] = [];
  await runApart({ ...hubLoad, requests: requests / 4 });
  await runApart({ ...echoLoad, requests: requests / 4 });
  for (let i = 0; i < rounds; i++) {
    hub.push(await runApart(hubLoad));
    bare.push(await runApart(echoLoad));
  }
  const ratios = hub.map((h, i) => h.perSecond / (bare[i]?.perSecond ?? Number.NaN));
  return [
    {
      what: "SDK v2 echo tool, HTTP modern, 8 connections",
      value: median(bare.map((r) => r.perSecond)),
      unit: "calls/s",
    },
    {
      what: "system_journal_list_receipts (20 rows), the same way",
      value: median(hub.map((r) => r.perSecond)),
      unit: "calls/s",
    },
    { what: "its share of the echo", value: median(ratios), unit: "", target: ">= 0.5" },
    { what: "its p95", value: median(hub.map((r) => r.p95)), unit: "ms" },
  ];
}

async function writes(scratch: ScratchHub, rounds: number, requests: number): Promise<Row[]> {
  let run = 0;
  const once = (connections: number) => {
    const object = {
      kind: "ProviderConfig",
      name: "{name}",
      spec: { driver: "null", endpoint: "https://provider.example/" },
    };
    const { bodies, ...rest } = load(scratch, "system_fleet_put_object", { object }, connections, requests);
    return runApart({ ...rest, bodies: { kind: "named", body: bodies.body, prefix: `run-${run++}` } });
  };
  const several = async (connections: number) => {
    const results: LoadResult[] = [];
    for (let i = 0; i < rounds; i++) results.push(await once(connections));
    return results;
  };
  await once(8);
  const eight = await several(8);
  const many = await several(32);
  return [
    {
      what: "write (intent, effect, outcome: durable, signed), 8 connections, p95",
      value: median(eight.map((r) => r.p95)),
      unit: "ms",
      target: "< 15",
    },
    { what: "the same, throughput", value: median(eight.map((r) => r.perSecond)), unit: "calls/s" },
    {
      what: "the same at 32 connections, throughput",
      value: median(many.map((r) => r.perSecond)),
      unit: "calls/s",
      target: ">= 800",
    },
    { what: "the same at 32 connections, p95", value: median(many.map((r) => r.p95)), unit: "ms" },
  ];
}

function load({ folder, hub }: ScratchHub, tool: string, input: unknown, connections: number, requests: number) {
  return modernLoad({ url: hub.ready.url, token: folder.token(AGENT), tool, input }, { connections, requests });
}

/** What a commit costs at least: the median of writes that reach the disk, in the database's own folder. */
function commitMs(folder: string): number {
  const file = openSync(join(folder, "commit-probe"), "w");
  const page = Buffer.alloc(8192, 1);
  const times = Array.from({ length: 200 }, () => {
    const began = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  return median(times);
}
