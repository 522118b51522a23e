import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, lstat, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { HubError } from "../../errors.ts";
import { encrypt, type Lock } from "./lock.ts";

/** Entries of a backup's archive, one after the other; memory stays flat, since each waits until it is taken. */
export interface ArchiveWriter {
  entry(name: string, content: Buffer): Promise<void>;
}

export interface WrittenFile {
  readonly bytes: number;
  /** SHA-256 of the file, hex. */
  readonly digest: string;
}

const GZIP_LEVEL = 3;

/** The name that a file gets when it is whole, and where it lies until then, in the same folder. */
export interface ArchivePlace {
  readonly path: string;
  readonly part: string;
}

/**
 * Writes the archive that `fill` makes: tar, gzip, age, for its owner alone (0600). It gets its name when it is whole and on
 * the disk. Throws ALREADY_EXISTS where the name or the part is taken, CONFIG_INVALID where nothing can be written there,
 * INPUT_INVALID where a recipient is none, BACKUP_DISK_FULL, and what `fill` throws: then nothing is left.
 */
export async function writeArchive(
  { path, part }: ArchivePlace,
  lock: Lock,
  fill: (archive: ArchiveWriter) => Promise<void>,
): Promise<WrittenFile> {
  await refuseTaken(path);
  let named = false;
  const file = await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600).catch(taken(part));
  try {
    const written = await stream(file, lock, fill);
    await file.sync();
    await file.close();
    await giveName(part, path);
    named = true;
    await rm(part, { force: true }); // gone already where it was renamed
    await syncFolder(dirname(path));
    return written;
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    if (named) await rm(path, { force: true });
    throw diskFault(error, part) ?? error;
  }
}

/** No other file loses its name over it, not one either that came this moment. */
async function giveName(part: string, path: string): Promise<void> {
  try {
    await link(part, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw nameTaken(path, cause);
    // a file system without second names
    await refuseTaken(path);
    await rename(part, path);
  }
}

/** Of the file system: no room, no share of it left, too large a file, switched to reading alone. */
const DISK_CODES = ["ENOSPC", "EDQUOT", "EFBIG", "EROFS"];

function diskFault(error: unknown, part: string): HubError | undefined {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (error instanceof HubError || !DISK_CODES.includes(code)) return undefined;
  const sentence = `The disk takes nothing more (${code}) at ${part}. What was written is removed; make room, or write the backup elsewhere.`;
  return new HubError("BACKUP_DISK_FULL", sentence, { cause: error });
}

async function stream(
  file: FileHandle,
  lock: Lock,
  fill: (archive: ArchiveWriter) => Promise<void>,
): Promise<WrittenFile> {
  const tar = pack();
  const compressed = new PassThrough();
  const filling = fill({ entry: (name, content) => addEntry(tar, name, content) }).then(() => tar.finalize());
  const compressing = pipeline(Readable.from(tar), createGzip({ level: GZIP_LEVEL }), compressed);
  const writing = encryptInto(file, Readable.toWeb(compressed), lock);
  let cause: { readonly error: unknown } | undefined;
  const stop = (error: unknown) => {
    cause ??= { error }; // what breaks the other sides follows from it
    tar.destroy(error as Error);
    compressed.destroy(error as Error);
  };
  for (const side of [filling, compressing, writing]) side.catch(stop);
  const [, , written] = await Promise.allSettled([filling, compressing, writing]);
  if (cause) throw cause.error;
  if (written.status === "rejected") throw written.reason;
  return written.value;
}

async function encryptInto(file: FileHandle, plain: ReadableStream<Uint8Array>, lock: Lock): Promise<WrittenFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  const reader = (await encrypt(plain, lock)).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    hash.update(next.value);
    bytes += next.value.length;
    await file.writeFile(next.value);
  }
  return { bytes, digest: hash.digest("hex") };
}

function addEntry(tar: ReturnType<typeof pack>, name: string, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const entry = tar.entry({ name, size: content.length, mode: 0o600, mtime: new Date(0) }, (error) =>
      error ? reject(error) : resolve(),
    );
    entry.on("error", reject); // without a listener it ends the process
    entry.end(content);
  });
}

/**
 * Throws ALREADY_EXISTS where there is anything of that name, be it a link that leads nowhere or what cannot be read, and
 * CONFIG_INVALID where there is no folder for it.
 */
export async function refuseTaken(path: string): Promise<void> {
  const there = await lstat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw unwritable(path, cause);
    return undefined;
  });
  if (there) throw nameTaken(path);
  await stat(dirname(path)).catch((cause: NodeJS.ErrnoException) => {
    throw unwritable(path, cause);
  });
}

const nameTaken = (path: string, cause?: unknown) =>
  new HubError("ALREADY_EXISTS", `There is something at ${path}: a backup never takes the place of anything.`, {
    cause,
  });

const taken = (part: string) => (cause: NodeJS.ErrnoException) => {
  if (cause.code === "EEXIST")
    throw new HubError("ALREADY_EXISTS", `There is a file ${part}: a backup is being written there.`, { cause });
  throw diskFault(cause, part) ?? unwritable(part, cause);
};

function unwritable(path: string, cause: NodeJS.ErrnoException): HubError {
  const folder = dirname(path);
  const noFolder = cause.code === "ENOENT" || cause.code === "ENOTDIR";
  const sentence = noFolder
    ? `There is no folder ${folder} to write the backup to: make it, or name another.`
    : `The file ${path} cannot be written (${cause.code}).`;
  return new HubError("CONFIG_INVALID", sentence, { cause, details: noFolder ? { folder } : { path } });
}

/** So that the new name survives a power cut too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
