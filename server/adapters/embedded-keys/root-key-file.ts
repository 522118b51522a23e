import { type KeyObject, randomBytes } from "node:crypto";
import { type FileHandle, link, open, realpath, unlink } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { HubError } from "../../errors.ts";
import type { AskPassphrase } from "./passphrase.ts";
import { newRootKey, readRootKeyText, writeRootKeyText } from "./root-key-text.ts";

/** Bytes: a protected key takes some 160; what is longer is some other file. */
const LONGEST_FILE = 256;

export interface RootKeyFile {
  readonly path: string;
  /** Where the database and its backups come from; a copy of it must not hold the key to itself. */
  readonly dataFolder: string;
  /** Make the key where there is none. Not for a database that has keys already: a new root key opens none of them. */
  readonly create: boolean;
  /** Asked where the file is protected by a passphrase; without it such a file does not open. */
  readonly passphrase?: AskPassphrase;
  /** Makes it under this passphrase. */
  readonly protectWith?: string;
}

/**
 * Reads the root key: 32 bytes in Base 64, or those sealed under a passphrase, in a file that this user alone can read,
 * outside of the data folder. The folder of the file exists. Of several processes that create it at once, one does, and
 * all read the same key.
 *
 * Throws CONFIG_INVALID where the file is in the wrong place, open to others or no key, or the passphrase is wrong or
 * missing, and KEY_SERVICE_UNREACHABLE where the file is missing or cannot be read or made.
 */
export async function openRootKeyFile(file: RootKeyFile): Promise<KeyObject> {
  const { protectWith, passphrase = protectWith === undefined ? undefined : async () => protectWith } = file;
  return openRootKeyText(await readRootKeyFile(file), { ...file, ...(passphrase && { passphrase }) });
}

/** What the file holds, checked as above and not opened yet. */
export async function readRootKeyFile({ path, dataFolder, create, protectWith }: RootKeyFile): Promise<string> {
  try {
    await refuseInside(path, dataFolder);
    if (create) await createOnce(path, () => writeRootKeyText(newRootKey(), protectWith));
    return await read(path, dataFolder);
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    throw new HubError("KEY_SERVICE_UNREACHABLE", sentenceFor(path, cause), { cause, details: { path } });
  }
}

/** The key in what `readRootKeyFile` answered. Throws CONFIG_INVALID. */
export async function openRootKeyText(
  text: string,
  {
    path,
    passphrase,
    mustBeProtected = false,
  }: Pick<RootKeyFile, "path" | "passphrase"> & { readonly mustBeProtected?: boolean },
): Promise<KeyObject> {
  const held = readRootKeyText(text);
  if (held === undefined) {
    throw invalid(path, "holds no root key: that is 32 bytes in Base 64. Restore the file from its backup");
  }
  if (held.kind === "plain") {
    if (!mustBeProtected) return held.key;
    const mend = "Run: npx countersign keys root protect";
    throw invalid(path, `holds the key in the clear, although there is a passphrase to protect it. ${mend}`);
  }
  if (passphrase === undefined) {
    throw invalid(path, "is protected by a passphrase: set COUNTERSIGN_ROOT_PASSPHRASE_FILE to the file that holds it");
  }
  const key = await held.open(await passphrase());
  if (key === undefined) throw invalid(path, "does not open with this passphrase");
  return key;
}

/**
 * Writes the key beside its place and links it there, so that the name never stands for half a key: like O_EXCL, `link`
 * fails where the name is taken.
 */
export async function createOnce(path: string, content: () => Promise<string>): Promise<void> {
  if (await exists(path)) return;
  const text = await content();
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(6).toString("hex")}`);
  const file = await open(draft, "wx", 0o600);
  try {
    try {
      await file.chmod(0o600); // whatever the umask left
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
  } finally {
    await unlink(draft);
  }
  await syncFolder(dirname(path));
}

async function read(path: string, dataFolder: string): Promise<string> {
  const file = await open(path, "r");
  try {
    // the open file is checked, so that no other can take its place between the check and the reading
    await refuseOpenToOthers(file, path);
    await refuseInside(await realpath(path), dataFolder);
    const bytes = await firstBytes(file);
    const text = bytes.toString("latin1").trimEnd();
    bytes.fill(0);
    return text;
  } finally {
    await file.close();
  }
}

async function refuseOpenToOthers(file: FileHandle, path: string): Promise<void> {
  const { mode, uid } = await file.stat();
  if ((mode & 0o077) !== 0) {
    throw invalid(path, `can be read by other users (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${path}`);
  }
  const own = process.getuid?.();
  if (own !== undefined && uid !== own && uid !== 0) {
    throw invalid(path, `belongs to another user (${uid}), who can read it. Run: chown ${own} ${path}`);
  }
}

async function refuseInside(path: string, dataFolder: string): Promise<void> {
  const file = join(await resolved(dirname(path)), basename(path));
  const way = relative(await resolved(dataFolder), file);
  if (way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way)) return;
  throw invalid(
    path,
    `lies inside the data folder ${dataFolder}, so that a copy of the data would hold the key to itself. Move it out, ` +
      "and set COUNTERSIGN_ROOT_KEY_FILE to its new place",
  );
}

/** The folder behind all links; as it is written where it does not exist yet. */
async function resolved(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    return dirname(folder) === folder ? folder : join(await resolved(dirname(folder)), basename(folder));
  }
}

async function firstBytes(file: FileHandle): Promise<Buffer> {
  const buffer = Buffer.alloc(LONGEST_FILE);
  const { bytesRead } = await file.read(buffer, 0, LONGEST_FILE, 0);
  return buffer.subarray(0, bytesRead);
}

export async function exists(path: string): Promise<boolean> {
  try {
    await (await open(path, "r")).close();
    return true;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    return false;
  }
}

/** The file's name, too, must survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function sentenceFor(path: string, cause: unknown): string {
  const code = codeOf(cause) ?? "unknown reason";
  if (code === "ENOENT") {
    return `There is no root key file ${path}; without it nothing that the hub encrypted can be read. Restore it from its backup, or set COUNTERSIGN_ROOT_KEY_FILE to where it is.`;
  }
  return `The root key file ${path} cannot be read or made (${code}). Let this user read it, or set COUNTERSIGN_ROOT_KEY_FILE to another place.`;
}

function invalid(path: string, rest: string): HubError {
  return new HubError("CONFIG_INVALID", `The root key file ${path} ${rest}.`, { details: { path } });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
