import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { inheritedEnv } from "../../server/config/env.ts";
import { LOG_FILE } from "../../server/config/log-file.ts";
import { refuseOthersFolder } from "../../server/config/prepare-folders.ts";
import { HubError } from "../../server/errors.ts";
import type { CliContext } from "../context.ts";
import { makeFirstAccount } from "../first-account.ts";
import { startHubProcess } from "../hub-process.ts";
import { answers, keepHub } from "../keep-hub.ts";
import { whileAlone } from "./start-lock.ts";

/**
 * Starts a hub where the one of the config folder does not answer, and lets it go: it ends when no client is left. Of
 * several processes at once one starts it. Does nothing where that hub is not this machine's to start: COUNTERSIGN_URL
 * names it, or the folder joined one elsewhere. Throws what keeps a hub from starting.
 */
export async function ensureHub(context: CliContext): Promise<void> {
  if (!isOurs(context) || (await isThere(context))) return;
  const { data } = context.config.folders;
  makeDataFolder(data);
  await whileAlone(data, async () => {
    if (!(await isThere(context))) await startDetached(context);
  });
}

async function isThere({ folder }: CliContext): Promise<boolean> {
  const known = folder.hub();
  return known !== undefined && (await answers(known.url));
}

function isOurs({ config, folder }: CliContext): boolean {
  if (config.cli.url !== undefined) return false;
  // whoever joined a hub has its address, and no database
  const hasDatabase = config.database.kind === "external" || existsSync(join(config.folders.data, "postgres", "data"));
  return hasDatabase || folder.hub() === undefined;
}

/** Its log and the lock of its start lie there before the hub is there to make it. */
function makeDataFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new HubError(
      "DATA_FOLDER_UNUSABLE",
      `The folder ${path} cannot be made (${(cause as NodeJS.ErrnoException).code}): set COUNTERSIGN_DATA_DIR and COUNTERSIGN_CONFIG_DIR to folders that this user may write.`,
      { cause, details: { folder: path } },
    );
  }
  refuseOthersFolder(path);
}

async function startDetached({ terminal, config, folder }: CliContext): Promise<void> {
  const { data } = config.folders;
  const logFile = join(data, LOG_FILE);
  terminal.note(`No hub runs: starting one. Its log is ${logFile}.`);
  const log = openSync(logFile, "a", 0o600);
  try {
    const hub = await startHubProcess({
      env: inheritedEnv(),
      // for what no logger sees, such as a crash
      log,
      detachedIn: data,
      progress: (text) => terminal.note(text),
      firstAccount: () => makeFirstAccount(folder),
    });
    const { accountId, created } = hub.ready;
    if (!(await keepHub(folder, hub.ready))) {
      await hub.stop();
      throw new HubError(
        "CONFIG_INVALID",
        `The keys and tokens in ${folder.path} are not for the hub of ${data}, whose account is ${accountId}. Set COUNTERSIGN_CONFIG_DIR to the folder that it was made with.`,
      );
    }
    await hub.letGo();
    if (created)
      terminal.note(`Made an account, its operator (you) and an agent. Keys and tokens: ${folder.path} (yours alone)`);
  } finally {
    closeSync(log);
  }
}
