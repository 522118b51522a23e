import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
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

/**
 * Writes the archive that `fill` makes: tar, gzip, age, for its owner alone (0600). It gets its name when it is whole and on
 * the disk; until then it lies beside it as `<path>.part`. Throws ALREADY_EXISTS where the name or the part is taken,
 * INPUT_INVALID where a recipient is none, and what `fill` throws: then nothing is left.
 */
export async function writeArchive(
  path: string,
  lock: Lock,
  fill: (archive: ArchiveWriter) => Promise<void>,
): Promise<WrittenFile> {
  const part = `${path}.part`;
  await refuseTaken(path);
  const file = await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600).catch(taken(part));
  try {
    const written = await stream(file, lock, fill);
    await file.sync();
    await file.close();
    await refuseTaken(path);
    await rename(part, path);
    await syncFolder(dirname(path));
    return written;
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
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

async function refuseTaken(path: string): Promise<void> {
  const there = await open(path, "r").catch(() => undefined);
  if (!there) return;
  await there.close();
  throw new HubError("ALREADY_EXISTS", `There is a file ${path}: a backup never takes the place of another.`);
}

const taken = (part: string) => (cause: NodeJS.ErrnoException) => {
  if (cause.code === "EEXIST")
    throw new HubError(
      "ALREADY_EXISTS",
      `There is a file ${part}: another backup is being written, or one was broken off; then remove it.`,
      { cause },
    );
  throw new HubError("CONFIG_INVALID", `The file ${part} cannot be written (${cause.code}).`, { cause });
};

/** So that the new name survives a power cut too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
