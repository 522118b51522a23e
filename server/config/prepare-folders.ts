import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { HubError } from "../errors.ts";
import type { Folders } from "./config.ts";

/**
 * Makes the hub's folders, readable by this user alone, and proves that they can be written. The command line makes
 * its own.
 * Folders that exist keep their mode.
 * @throws HubError DATA_FOLDER_UNUSABLE, naming the folder and the variables that move it.
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
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
}
