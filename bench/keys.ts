/** The keys' figures: ciphers in a second, the walk of a rotation over embedded keys and over Vault's wire, and storing meanwhile. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { OPERATOR } from "../cli/context.ts";
import { HubClient } from "../cli/hub-client.ts";
import { callWithOwnSignature } from "../cli/run-with-consent.ts";
import { operationView } from "../contracts/operations/operation.ts";
import { rotationView } from "../contracts/vault/rotation.ts";
import { ROOT_TOKEN, VaultServer } from "../server/adapters/vault/vault-server.fixture.ts";
import { addCredentialRows } from "./credential-rows.ts";
import { keySpeed } from "./key-speed.ts";
import { residentMb } from "./processes.ts";
import { median, type Row } from "./report.ts";
import { type ScratchHub, scratchFolder, startScratchHub } from "./scratch-hub.ts";

const LOOK_MS = 200;

interface Scale {
  readonly rounds: number;
  readonly items: number;
  readonly walked: number;
  readonly stores: number;
}

/** `quick` proves in seconds that the benchmark runs; its figures mean nothing. BENCH_CREDENTIALS: how many are walked. */
export async function keys({ quick }: { quick: boolean }): Promise<Row[]> {
  const walked = Number(process.env["BENCH_CREDENTIALS"] ?? (quick ? 500 : 50_000));
  const scale: Scale = quick
    ? { rounds: 1, items: 500, walked, stores: 3 }
    : { rounds: 5, items: 50_000, walked, stores: 200 };
  return [
    ...(await keySpeed(scale)),
    ...(await overEmbedded(scale)),
    ...(await overVault(quick ? scale : { ...scale, walked: Math.min(walked, 30_000) })),
  ];
}

async function overEmbedded(scale: Scale): Promise<Row[]> {
  using home = scratchFolder();
  await using scratch = await startScratchHub(home.path);
  const operator = new KeysOperator(scratch);
  await operator.fill("walked", scale.walked);
  const alone = await operator.rotate();
  const quiet = await operator.provide(await operator.waiting("quiet", scale.stores));
  const names = await operator.waiting("given", scale.stores);
  const [, times] = await Promise.all([operator.rotate(), operator.provide(names)]);
  return [
    ...rowsOf("embedded", alone, 5_000),
    {
      what: "a secret is given during a walk (intent, sealed, receipt), p95",
      value: quantile(times, 0.95),
      unit: "ms",
      target: "< 25",
    },
    { what: "the same, p50", value: median(times), unit: "ms" },
    { what: "the same without a walk, p95", value: quantile(quiet, 0.95), unit: "ms" },
    { what: "the same without a walk, p50", value: median(quiet), unit: "ms" },
  ];
}

/** Vault's server of the tests, in this process: beside the hub it takes a part of the two cores. */
async function overVault(scale: Scale): Promise<Row[]> {
  await using vault = await VaultServer.open();
  using home = scratchFolder();
  const folder = join(home.path, "vault");
  mkdirSync(folder, { mode: 0o700 });
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, ROOT_TOKEN, { mode: 0o600 });
  await using scratch = await startScratchHub(home.path, {
    COUNTERSIGN_KEYS: "vault",
    COUNTERSIGN_VAULT_ADDR: vault.address,
    COUNTERSIGN_VAULT_TOKEN_FILE: tokenFile,
  });
  const operator = new KeysOperator(scratch);
  await operator.fill("walked", scale.walked);
  vault.seen.length = 0; // it keeps every request
  return rowsOf("over Vault's wire", await operator.rotate(), 3_000);
}

interface Walk {
  readonly perSecond: number;
  readonly rotated: number;
  /** Of the hub's process, MB: when the walk was a fifth through, and at its end. */
  readonly resident: readonly [number, number];
}

function rowsOf(how: string, { perSecond, rotated, resident: [early, late] }: Walk, target: number): Row[] {
  return [
    { what: `walk, ${how}, ${rotated} credentials`, value: perSecond, unit: "/s", target: `>= ${target}` },
    { what: `hub process, resident, a fifth through (${how})`, value: early, unit: "MB" },
    { what: "the same at the end", value: late, unit: "MB" },
    { what: "growth", value: late / early, unit: "times", target: "<= 1.1" },
  ];
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** The one person of a scratch hub. */
class KeysOperator {
  readonly #scratch: ScratchHub;
  readonly #hub: HubClient;

  constructor(scratch: ScratchHub) {
    this.#scratch = scratch;
    this.#hub = new HubClient(scratch.hub.ready.url, scratch.folder.token(OPERATOR) ?? "");
  }

  async fill(prefix: string, count: number): Promise<void> {
    const { output } = await this.#hub.done("system_identity_whoami");
    const { id: ownerId } = output["principal"] as { id: string };
    await addCredentialRows({ env: this.#scratch.env, ownerId, prefix, count });
  }

  /** From the start of the operation to its end, by the hub's clock; the job's slices and the last looks included. */
  async rotate(): Promise<Walk> {
    const begun = await this.#signed("system_rotate_vault_transit_pepper", {});
    const { id: rotationId } = rotationView.parse(begun["rotation"]);
    const resident = () => residentMb(this.#scratch.hub.child.pid);
    let early: number | undefined;
    for (;;) {
      // the rotation's own view counts credentials, which takes time from the walk
      const { output } = await this.#hub.done("system_operations_get", { operationId: rotationId });
      const { state, progress } = operationView.parse(output["operation"]);
      if (progress.done > progress.total / 5) early ??= resident();
      if (state !== "working") break;
      await pause(LOOK_MS);
    }
    const { output } = await this.#hub.done("system_vault_get_rotation", { rotationId });
    const { state, rotated, createdAt, endedAt } = rotationView.parse(output["rotation"]);
    if (state !== "completed" || endedAt === null) throw new Error(`the rotation ended as ${state}`);
    const seconds = (Date.parse(endedAt) - Date.parse(createdAt)) / 1000;
    return { perSecond: rotated / seconds, rotated, resident: [early ?? resident(), resident()] };
  }

  /** Credentials that wait for their secret: their names. */
  async waiting(prefix: string, count: number): Promise<string[]> {
    const names = Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
    for (const name of names)
      await this.#signed("system_credentials_store", {
        name,
        kind: "bearer-token",
        description: "given during a walk",
        allowedHosts: ["api.example.com"],
        consumers: ["gateway"],
      });
    return names;
  }

  /** One after the other; answers with the milliseconds of each. */
  async provide(names: readonly string[]): Promise<number[]> {
    const times: number[] = [];
    for (const name of names) {
      const began = performance.now();
      await this.#hub.done("system_credentials_provide_secret", { name, secret: "a-token-of-the-benchmark" });
      times.push(performance.now() - began);
    }
    return times;
  }

  #signed(action: string, input: unknown): Promise<Record<string, unknown>> {
    return callWithOwnSignature(this.#hub, this.#scratch.folder, action, input);
  }
}
