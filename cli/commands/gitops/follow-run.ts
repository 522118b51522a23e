import { setTimeout as pause } from "node:timers/promises";
import type { SyncRunView } from "../../../contracts/gitops/sync-run.ts";
import type { HubClient } from "../../hub-client.ts";
import type { Terminal } from "../../terminal.ts";
import { readRun } from "./read-gitops.ts";

const FIRST_LOOK_MS = 200;
const LAST_LOOK_MS = 1_000;

/** Looks at a run, less and less often, until it ended, and shows how far it is. */
export async function followRun(hub: HubClient, terminal: Terminal, runId: string): Promise<SyncRunView> {
  using bar = terminal.progressBar();
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.5, LAST_LOOK_MS)) {
    const run = await readRun(hub, runId);
    if (run.status !== "pending") return run;
    bar.show(run.progress);
    await pause(wait);
  }
}
