import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import * as z from "zod";
import {
  BACKUP_FORMAT,
  MANIFEST_NAME,
  type Manifest,
  manifest as manifestShape,
  TOTALS_NAME,
  type Totals,
  totals as totalsShape,
} from "../../../contracts/backup/manifest.ts";
import { compareHistory, readMigrations } from "../../../prisma/migration-history.ts";
import { type ArchiveEntry, readArchive } from "../../../server/adapters/backup-file/archive-reader.ts";
import type { Unlock } from "../../../server/adapters/backup-file/lock.ts";
import { RowCounter } from "../../../server/adapters/postgres/backup-reader.ts";
import type { Config } from "../../../server/config/config.ts";
import { HubError } from "../../../server/errors.ts";

/** A backup as it is read: its manifest first, then `tables` once, then what was said of it at its end. */
export interface OpenedBackup extends AsyncDisposable {
  readonly manifest: Manifest;
  /** Each piece of each table; done when the whole file was authenticated and is complete. */
  readonly tables: () => AsyncGenerator<{ readonly table: string; readonly piece: Buffer }>;
  /** Throws unless `tables` is done. */
  readonly totals: () => Totals;
  /** A file of `backupKeyLine`s, there until this is disposed of. */
  readonly keysFile: string;
}

/**
 * Opens a backup and holds it against this program's migrations. `check` is asked before each piece of it is given, and
 * throws where no more is wanted.
 * @throws HubError NOT_FOUND, BACKUP_KEY_WRONG, BACKUP_DAMAGED, DATABASE_NEWER, DATABASE_DIVERGED, MIGRATION_EDITED
 */
export async function openBackup(path: string, unlock: Unlock, check: () => void = () => {}): Promise<OpenedBackup> {
  const entries = readArchive(path, unlock);
  const first = (await entries.next()).value as ArchiveEntry | undefined;
  const manifest = manifestOf(first);
  refuseOthers(manifest);
  const folder = await mkdtemp(join(tmpdir(), "countersign-backup-"));
  const keysFile = join(folder, "keys.jsonl");
  let totals: Totals | undefined;

  async function* tables(): AsyncGenerator<{ table: string; piece: Buffer }> {
    const keys = createWriteStream(keysFile, { mode: 0o600 });
    const counter = new RowCounter();
    try {
      for await (const { name, content } of entries) {
        check();
        if (totals) throw damaged("something comes after its end");
        const table = /^tables\/([a-z_][a-z0-9_]*)\/[0-9]+\.copy$/.exec(name)?.[1];
        if (table !== undefined) yield { table, piece: content };
        else if (name === TOTALS_NAME) totals = parsed(totalsShape, content);
        else if (name.startsWith("keys/")) {
          counter.add(content);
          if (!keys.write(content)) await once(keys, "drain");
        } else throw damaged(`it has an entry ${name}`);
      }
    } finally {
      keys.end();
      await finished(keys);
    }
    if (!totals || totals.keys.sha256 !== counter.total().sha256) throw damaged("its end is missing");
  }

  return {
    manifest,
    tables,
    totals: () => totals ?? missingEnd(),
    keysFile,
    async [Symbol.asyncDispose]() {
      await entries.return(undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function manifestOf(entry: ArchiveEntry | undefined): Manifest {
  if (entry?.name !== MANIFEST_NAME) throw damaged("it does not begin with its manifest");
  const { format } = parsed(z.object({ format: z.string() }), entry.content);
  if (format !== BACKUP_FORMAT)
    throw new HubError("DATABASE_NEWER", `This program reads backups of the format ${BACKUP_FORMAT}, not ${format}.`);
  return parsed(manifestShape, entry.content);
}

/**
 * Its credentials are wrapped where its keys are: nothing of it could be used with another key service.
 * @throws HubError CONFIG_INVALID
 */
export function requireKeyService({ manifest }: OpenedBackup, { keys }: Pick<Config, "keys">): void {
  const { keyService } = manifest;
  if (keyService === keys.kind) return;
  const where = keyService === "vault" ? "in a Vault" : "in its own rows, under the root key";
  throw new HubError("CONFIG_INVALID", `The backup's keys are ${where}: set COUNTERSIGN_KEYS=${keyService}.`, {
    path: "COUNTERSIGN_KEYS",
  });
}

/** Which migrations the backup was made under has to be known here, byte for byte. */
function refuseOthers({ migrations }: Manifest): void {
  const applied = migrations.map(({ name, checksum }) => ({ migration_name: name, checksum, finished: true }));
  compareHistory(applied, readMigrations());
}

function parsed<T extends z.ZodType>(shape: T, content: Buffer): z.output<T> {
  try {
    return shape.parse(JSON.parse(content.toString("utf8")));
  } catch (cause) {
    throw new HubError("BACKUP_DAMAGED", "The backup says of itself what cannot be read.", { cause });
  }
}

const damaged = (what: string) => new HubError("BACKUP_DAMAGED", `This is no whole backup: ${what}.`);

function missingEnd(): never {
  throw new Error("the totals of a backup that was not read to its end");
}
