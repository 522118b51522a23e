import { hash } from "node:crypto";
import { publicKeyToPem } from "../../../contracts/formats/ed25519.ts";
import { claimedCertificate } from "../../../contracts/formats/lane-certificate.ts";
import { HASH_LENGTH, leafHash, verifyInclusion } from "../../../contracts/formats/merkle.ts";
import type { PortableProof } from "../../../contracts/formats/receipt-proof.ts";
import { lanePath, neededNodes } from "../../domain/evidence/lane-path.ts";
import type { SubtreeRoot } from "../../domain/evidence/lane-tree.ts";
import type { Phase, ReceiptReader, ReceiptRow } from "../../domain/evidence/receipt-store.ts";
import { HubError } from "../../errors.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Session } from "./database.ts";

interface ListRow {
  position: string;
  call_id: string;
  phase: Phase;
  action: string;
  principal_id: string | null;
  code: string;
  at: Date;
}

interface ProofRow extends Omit<ListRow, "position"> {
  position: string | null;
  epoch_no: string;
  sequence: string;
  statement: Buffer;
  certificate: string;
  size: string;
  root: Buffer;
  note: string;
  lane_index: number;
  path: Buffer;
}

export function receiptStore(session: Session): ReceiptReader {
  return {
    async list(filter, { limit, cursor }) {
      const before = decodeCursor(cursor, ["number"])?.[0];
      const { text, values } = listQuery(filter, before as number | undefined, limit + 1);
      const { rows } = await session.query<ListRow>(text, values);
      const items = rows.slice(0, limit).map(receiptRow);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.position]) } : { items };
    },

    async prove(receiptId) {
      const row = await findProof(session, receiptId);
      if (row === undefined) throw new HubError("NOT_FOUND", "There is no such receipt.", { path: "id" });
      const sequence = Number(row.sequence);
      const size = Number(row.size);
      const path = lanePath(sequence, size, await readNodes(session, row.epoch_no, sequence, size));
      const leaf = leafHash(hash("sha256", row.statement, "buffer"));
      if (!verifyInclusion({ index: sequence, size, leafHash: leaf, proof: path, root: row.root })) {
        const message = "The journal does not prove this receipt: it was changed. Verify the journal.";
        throw new HubError("PROOF_INVALID", message, { details: { receiptId } });
      }
      return portableProof(row, path);
    },
  };
}

/** A text for each set of filters, so that each is planned for the index that serves it. */
function listQuery(
  { action, principalId, callId, code }: Parameters<ReceiptReader["list"]>[0],
  before: number | undefined,
  limit: number,
): { text: string; values: unknown[] } {
  const values: unknown[] = [limit];
  const where: string[] = [];
  const add = (condition: string, value: unknown) => {
    if (value === undefined) return;
    values.push(value);
    where.push(condition.replace("?", `$${values.length}`));
  };
  add("position < ?", before);
  add("action = ?", action);
  add("principal_id = ?", principalId);
  add("code = ?", code);
  // the index on codes holds the rare ones alone, and the planner has to see that this is one of them
  if (code !== undefined && code !== "OK" && code !== "PENDING") where.push("code not in ('OK', 'PENDING')");
  add("(epoch_no, sequence) in (select epoch_no, sequence from receipt where call_id = ?)", callId);
  const text = `select position, call_id, phase, action, principal_id, code, at from log_entry
    ${where.length ? `where ${where.join(" and ")}` : ""} order by position desc limit $1`;
  return { text, values };
}

/** The receipt, its lane, and the first commit that holds it. */
async function findProof(session: Session, receiptId: string): Promise<ProofRow | undefined> {
  const [, callId, phase] = /^([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\.(intent|outcome)$/.exec(receiptId) ?? [];
  if (callId === undefined) return undefined;
  const { rows } = await session.query<ProofRow>(
    `select r.call_id, r.phase, r.action, r.principal_id, r.code, r.at, r.epoch_no, r.sequence, r.statement, l.envelope as certificate,
       e.position, c.size, c.root, c.note, c.lane_index, c.path
     from receipt r
     join lane_certificate l on l.account_id = r.account_id and l.epoch_no = r.epoch_no
     cross join lateral (select * from lane_commit c where c.account_id = r.account_id and c.epoch_no = r.epoch_no
       and c.size > r.sequence order by c.size limit 1) c
     left join log_entry e on e.account_id = r.account_id and e.epoch_no = r.epoch_no and e.sequence = r.sequence
     where r.call_id = $1 and r.phase = $2`,
    [callId, phase],
  );
  return rows[0];
}

async function readNodes(session: Session, epoch: string, sequence: number, size: number): Promise<SubtreeRoot[]> {
  const nodes: SubtreeRoot[] = [];
  for (const { level, from, to } of neededNodes(sequence, size)) {
    const text =
      level === 0
        ? `select sequence as index, sha256(statement) as hash from receipt
           where epoch_no = $1 and sequence >= $2 and sequence < $3`
        : `select index, hash from lane_node where epoch_no = $1 and level = $4 and index >= $2 and index < $3`;
    const values = [epoch, from, to, ...(level === 0 ? [] : [level])];
    const { rows } = await session.query<{ index: string; hash: Buffer }>(text, values);
    for (const { index, hash } of rows) {
      nodes.push({ level, index: Number(index), hash: level === 0 ? leafHash(hash) : hash });
    }
  }
  return nodes;
}

function portableProof(row: ProofRow, inclusion: readonly Buffer[]): PortableProof {
  const { origin, rootKey } = claimedCertificate(row.certificate);
  return {
    receipt: {
      id: `${row.call_id}.${row.phase}`,
      callId: row.call_id,
      phase: row.phase,
      action: row.action,
      ...(row.principal_id !== null && { principalId: row.principal_id }),
      code: row.code,
      at: row.at.toISOString(),
      ...(row.position !== null && { position: Number(row.position) }),
    },
    statement: row.statement.toString(),
    lane: {
      origin,
      epoch: Number(row.epoch_no),
      sequence: Number(row.sequence),
      size: Number(row.size),
      rootHash: row.root.toString("base64"),
      inclusion: inclusion.map((hash) => hash.toString("base64")),
    },
    commit: {
      note: row.note,
      laneIndex: row.lane_index,
      inclusion: splitHashes(row.path).map((hash) => hash.toString("base64")),
    },
    certificate: row.certificate,
    rootKey: publicKeyToPem(rootKey),
  };
}

/** Hashes that stand one after the other. */
export function splitHashes(path: Buffer): Buffer[] {
  return Array.from({ length: path.length / HASH_LENGTH }, (_, i) =>
    path.subarray(i * HASH_LENGTH, (i + 1) * HASH_LENGTH),
  );
}

function receiptRow({ call_id, principal_id, position, ...row }: ListRow): ReceiptRow {
  return {
    id: `${call_id}.${row.phase}`,
    callId: call_id,
    principalId: principal_id ?? undefined,
    position: Number(position),
    ...row,
  };
}
