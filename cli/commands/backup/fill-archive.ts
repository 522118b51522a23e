import {
  BACKUP_FORMAT,
  type BackupTable,
  MANIFEST_NAME,
  type Manifest,
  TOTALS_NAME,
  type Total,
  type Totals,
} from "../../../contracts/backup/manifest.ts";
import type { ArchiveWriter } from "../../../server/adapters/backup-file/archive-writer.ts";
import { PIECE_BYTES, RowCounter, type Snapshot } from "../../../server/adapters/postgres/backup-reader.ts";
import type { KeyService } from "../../../server/domain/keys/key-service.ts";
import { keyLines } from "./key-lines.ts";

type Facts = Pick<Manifest, "id" | "hubId" | "createdAt" | "program" | "keyService">;

/** Writes a snapshot into an archive. `onTable` is told each table before it is read. */
export async function fillArchive(
  archive: ArchiveWriter,
  { snapshot, keys, facts }: { readonly snapshot: Snapshot; readonly keys: KeyService; readonly facts: Facts },
  onTable: (name: string, done: number, of: number) => void,
): Promise<Totals> {
  const manifest: Manifest = { format: BACKUP_FORMAT, ...facts, ...snapshot.facts };
  await archive.entry(MANIFEST_NAME, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  const tables: Record<string, Total> = {};
  for (const [index, table] of manifest.tables.entries()) {
    onTable(table.name, index, manifest.tables.length);
    tables[table.name] = await addTable(archive, snapshot, table);
  }
  const totals: Totals = { tables, keys: await addKeys(archive, snapshot, keys) };
  await archive.entry(TOTALS_NAME, Buffer.from(`${JSON.stringify(totals, null, 2)}\n`));
  return totals;
}

async function addTable(archive: ArchiveWriter, snapshot: Snapshot, table: BackupTable): Promise<Total> {
  const { pieces, total } = snapshot.rows(table);
  let no = 0;
  for await (const piece of pieces) await archive.entry(`tables/${table.name}/${numbered(no++)}.copy`, piece);
  return total();
}

async function addKeys(archive: ArchiveWriter, { accounts }: Snapshot, keys: KeyService): Promise<Total> {
  const counter = new RowCounter();
  let text = "";
  let no = 0;
  const flush = async () => {
    const piece = Buffer.from(text);
    counter.add(piece);
    await archive.entry(`keys/${numbered(no++)}.jsonl`, piece);
    text = "";
  };
  for (const accountId of accounts) {
    for (const line of await keyLines(keys, accountId)) text += `${JSON.stringify(line)}\n`;
    if (text.length > PIECE_BYTES) await flush();
  }
  if (text !== "") await flush();
  return counter.total();
}

const numbered = (no: number) => String(no).padStart(8, "0");
