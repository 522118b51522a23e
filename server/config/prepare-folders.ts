import { constants, statSync } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { HubError } from "../errors.ts";
import type { Folders } from "./config.ts";

/**
 * Makes the hub's folders, readable by this user alone, and proves that they can be written. The command line makes
 * its own.
 * Folders that exist keep their mode, and are refused where other users could change what is in them.
 * @throws HubError DATA_FOLDER_UNUSABLE, naming the folder, and the variables that move it or the command that mends it.
 */
export async function prepareFolders(folders: Folders): Promise<void> {
  for (const folder of [folders.data, folders.config, dirname(folders.rootKeyFile)]) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await access(folder, constants.W_OK | constants.X_OK);
    } catch (cause) {
      throw new HubError(
        "DATA_FOLDER_UNUSABLE",
        `The folder ${folder} cannot be written (${reason(cause)}); set COUNTERSIGN_DATA_DIR and COUNTERSIGN_CONFIG_DIR to folders that this user may write.`,
        { details: { folder }, cause },
      );
    }
    refuseOthersFolder(folder);
  }
  refuseOthersFolder(folders.cli);
}

/**
 * A folder of another user's, or one that group or others may write to, would let them exchange keys and data. One that
 * is not there is fine.
 * @throws HubError DATA_FOLDER_UNUSABLE, naming the folder and the command that mends it.
 */
export function refuseOthersFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  const self = process.geteuid?.();
  if (!found || self === undefined) return;
  const refuse = (why: string, command: string) =>
    new HubError("DATA_FOLDER_UNUSABLE", `The folder ${folder} ${why}. Run: ${command} ${quoted(folder)}`, {
      details: { folder },
    });
  if (found.uid !== self) throw refuse(`belongs to another user (uid ${found.uid}, not ${self})`, `chown ${self}`);
  if ((found.mode & 0o022) !== 0) {
    throw refuse(`can be written by other users (mode ${(found.mode & 0o7777).toString(8)})`, "chmod go-w");
  }
}

/** For a POSIX shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function reason(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
}
