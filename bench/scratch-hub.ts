import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliFolder } from "../cli/cli-folder.ts";
import { makeFirstAccount } from "../cli/first-account.ts";
import { type HubProcess, startHubProcess } from "../cli/hub-process.ts";

export interface ScratchHub extends AsyncDisposable {
  readonly hub: HubProcess;
  readonly folder: CliFolder;
  readonly dataDir: string;
  /** What it was started with. */
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds from the start of the process to its being ready. */
  readonly startMs: number;
}

/** A folder of its own below the system's temporary one, gone afterwards. */
export function scratchFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts a hub in `home`; a second one in the same folder finds what the first one left. `more` is set in its environment. */
export async function startScratchHub(home: string, more: NodeJS.ProcessEnv = {}): Promise<ScratchHub> {
  const dataDir = join(home, "data");
  const config = join(home, "config");
  const folder = new CliFolder(join(config, "cli"));
  const { DATABASE_URL: _a, COUNTERSIGN_MIGRATION_URL: _b, ...inherited } = process.env;
  const began = performance.now();
  const env = {
    ...inherited,
    COUNTERSIGN_DATA_DIR: dataDir,
    COUNTERSIGN_CONFIG_DIR: config,
    COUNTERSIGN_PORT: "0",
    COUNTERSIGN_LOG_LEVEL: "error",
    // one principal calls as fast as it can
    COUNTERSIGN_RATE_PER_PRINCIPAL: "0",
    ...more,
  };
  const hub = await startHubProcess({
    env,
    log: "inherit",
    progress: () => {},
    firstAccount: () => makeFirstAccount(folder, "bench"),
  });
  const { url, accountId, rootKey } = hub.ready;
  if (hub.ready.created) folder.saveHub({ url, accountId, rootKey });
  return { hub, folder, dataDir, env, startMs: performance.now() - began, [Symbol.asyncDispose]: () => hub.stop() };
}
