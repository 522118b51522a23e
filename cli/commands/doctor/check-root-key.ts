import type { KeyObject } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { passphraseFromFile } from "../../../server/adapters/embedded-keys/passphrase.ts";
import { openRootKeyFile } from "../../../server/adapters/embedded-keys/root-key-file.ts";
import type { Folders } from "../../../server/config/config.ts";
import { toHubError } from "../../../server/errors.ts";
import { askForPassphrase } from "../../hidden-prompt.ts";
import { broken, type Finding, shellWord, sound } from "./finding.ts";

const CHECK = "root key";

/**
 * The root key, where this user alone can read it.
 * @param hasAccount whether the database has an account, whose keys only this one opens; undefined where nobody knows
 */
export async function checkRootKey(
  { rootKeyFile: path, data }: Pick<Folders, "rootKeyFile" | "data">,
  hasAccount: boolean | undefined,
  passphraseFile?: string,
): Promise<{ finding: Finding; key?: KeyObject }> {
  if (!existsSync(path)) {
    if (!hasAccount) return { finding: sound(CHECK, `${path} is not there yet: the first start makes it`) };
    const says = `${path} is gone, and the database has keys that nothing else opens.`;
    return { finding: broken(CHECK, says, `install -m 600 <your backup of root.key> ${shellWord(path)}`) };
  }
  try {
    const passphrase = passphraseFile === undefined ? askForPassphrase : () => passphraseFromFile(passphraseFile);
    const key = await openRootKeyFile({ path, dataFolder: data, create: false, passphrase });
    return { finding: sound(CHECK, `${path} is yours alone`), key };
  } catch (error) {
    return { finding: broken(CHECK, toHubError(error).message, mendFor(path)) };
  }
}

function mendFor(path: string): string {
  const { mode, uid } = statSync(path);
  const self = process.geteuid?.();
  if ((mode & 0o077) !== 0) return `chmod 600 ${shellWord(path)}`;
  if (self !== undefined && uid !== self) return `sudo chown ${self} ${shellWord(path)}`;
  return `install -m 600 <your backup of root.key> ${shellWord(path)} # outside of the data folder`;
}
