import { setTimeout as pause } from "node:timers/promises";
import type { SyncRunView } from "../../../contracts/gitops/sync-run.ts";
import type { HubClient } from "../../hub-client.ts";
import type { Terminal } from "../../terminal.ts";
import { cutText } from "../../text-width.ts";
import { readRun } from "./read-gitops.ts";
import { onLine } from "./shown-text.ts";

const FIRST_LOOK_MS = 200;
const LAST_LOOK_MS = 1_000;
const LINE_WIDTH = 79;

/** Looks at a run, less and less often, until it ended; a terminal shows how far it is. */
export async function followRun(hub: HubClient, terminal: Terminal, runId: string): Promise<SyncRunView> {
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.5, LAST_LOOK_MS)) {
    const run = await readRun(hub, runId);
    terminal.progress(run.status === "pending" ? progressInWords(run) : "");
    if (run.status !== "pending") return run;
    await pause(wait);
  }
}

/** On one line, whatever the sentence is. */
function progressInWords({ progress: { done, total, sentence } }: SyncRunView): string {
  return cutText(`[${done}/${total}] ${onLine(sentence)}`, LINE_WIDTH);
}
