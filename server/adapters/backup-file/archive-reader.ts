import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as WebStream } from "node:stream/web";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { HubError } from "../../errors.ts";
import { decrypt, type Unlock } from "./lock.ts";

export interface ArchiveEntry {
  readonly name: string;
  readonly content: Buffer;
}

/** No entry that a backup writes is larger. */
export const LARGEST_ENTRY = 8 * 1024 * 1024;

/**
 * The entries of a backup, in order, one in memory at a time. The last has come when the whole file was authenticated.
 * Throws NOT_FOUND, what `decrypt` throws, and BACKUP_DAMAGED where bytes were changed or the end is missing; by then
 * entries may have been seen, and whoever uses them undoes what was done with them.
 */
export async function* readArchive(path: string, unlock: Unlock): AsyncGenerator<ArchiveEntry> {
  await access(path).catch((cause: NodeJS.ErrnoException) => {
    throw new HubError("NOT_FOUND", `The file ${path} cannot be read (${cause.code}).`, { cause });
  });
  const file = createReadStream(path);
  try {
    const plain = await decrypt(Readable.toWeb(file), unlock);
    const tar = extract();
    const feeding = pipeline(
      Readable.fromWeb(plain as unknown as WebStream),
      createGunzip(),
      tar as unknown as Writable,
    );
    feeding.catch((error: Error) => tar.destroy(error));
    for await (const entry of tar) {
      if ((entry.header.size ?? 0) > LARGEST_ENTRY) throw new Error("an entry is larger than any that is written");
      const parts: Buffer[] = [];
      for await (const part of entry) parts.push(part as Buffer);
      yield { name: entry.header.name, content: Buffer.concat(parts) };
    }
    await feeding;
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    throw new HubError(
      "BACKUP_DAMAGED",
      "The backup's bytes were changed, or its end is missing: nothing of it can be relied on.",
      { cause },
    );
  } finally {
    file.destroy();
  }
}
