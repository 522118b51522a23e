import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const COMMAND = fileURLToPath(new URL("../../../bin/countersign.js", import.meta.url));

/** A backup of the hub with these settings, made on the command line, since no call makes one; it lies in `folder`. */
export async function makeBackup(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const passphrase = join(folder, "passphrase");
  writeFileSync(passphrase, "a passphrase of nobody's\n", { mode: 0o600 });
  const args = [COMMAND, "backup", "create", join(folder, "hub.age"), "--passphrase-file", passphrase];
  await promisify(execFile)(process.execPath, args, { env });
}
