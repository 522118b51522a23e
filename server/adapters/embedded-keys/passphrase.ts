import { type FileHandle, open } from "node:fs/promises";
import { HubError } from "../../errors.ts";

/** Asks for the passphrase of the root key, from a file or a person. Throws CONFIG_INVALID where there is none. */
export type AskPassphrase = () => Promise<string>;

const LEAST_LENGTH = 12;
const LONGEST_FILE = 4096;

/**
 * From a file that this user alone can read; without the end of its line.
 * @throws HubError CONFIG_INVALID
 */
export async function passphraseFromFile(path: string): Promise<string> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0) {
      throw invalid(path, `can be read by other users (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${path}`);
    }
    if (size > LONGEST_FILE) throw invalid(path, "is too long for a passphrase");
    const passphrase = (await file.readFile("utf8")).replace(/\r?\n$/, "");
    requireStrong(passphrase, path);
    return passphrase;
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
    throw invalid(path, `cannot be read (${reason})`);
  } finally {
    await file?.close();
  }
}

/** @throws HubError CONFIG_INVALID: whoever has the file of the root key can try as long as they like */
export function requireStrong(passphrase: string, place = "passphrase"): void {
  if (passphrase.length >= LEAST_LENGTH) return;
  throw new HubError("CONFIG_INVALID", `A passphrase for the root key has at least ${LEAST_LENGTH} characters.`, {
    details: { place },
  });
}

function invalid(path: string, rest: string): HubError {
  return new HubError("CONFIG_INVALID", `The passphrase file ${path} ${rest}.`, { details: { path } });
}
