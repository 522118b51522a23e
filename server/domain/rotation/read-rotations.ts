import type { RotationSummary, RotationView } from "../../../contracts/vault/rotation.ts";
import type { Operation } from "../operations/operation-store.ts";
import type { Page, PageRequest } from "../page.ts";
import { findRotation, type RotationRows } from "./find-rotation.ts";
import type { Rotation, WalkTotals } from "./rotation-store.ts";

const MOST_FAILURES = 200;

/** A rotation, how far it is in all accounts, and what did not work. Throws NOT_FOUND. */
export async function getRotation(rows: RotationRows, id: string): Promise<RotationView> {
  // first: what it ends is read after it, so that who is told of its end is told of what it came to
  const finalization = await finalizationOf(rows, id);
  const { rotation, operation } = await findRotation(rows, id);
  const totals = await rows.rotation.totals(id);
  const faults = await rows.rotation.faults(id, MOST_FAILURES);
  const failures = [
    ...faults.map(({ accountId, code }) => ({ accountId, kind: null, recordId: null, code })),
    ...(await rows.rotation.failures(id, MOST_FAILURES)),
  ];
  return {
    ...summaryOf(rotation, operation, finalization),
    ...countsOf(rotation, totals, faults.length),
    failures: failures.slice(0, MOST_FAILURES),
  };
}

/** Newest first. */
export async function listRotations(rows: RotationRows, page: PageRequest): Promise<Page<RotationSummary>> {
  const { items, ...rest } = await rows.rotation.rotations(page);
  const summaries: RotationSummary[] = [];
  for (const rotation of items) {
    const finalization = await finalizationOf(rows, rotation.id);
    const operation = await rows.operations.find(rotation.id);
    if (operation) summaries.push(summaryOf(rotation, operation, finalization));
  }
  return { ...rest, items: summaries };
}

function summaryOf(
  rotation: Rotation,
  operation: Operation,
  finalization: RotationSummary["finalization"],
): RotationSummary {
  const { id, state, progress, error, requesterId, createdAt, endedAt } = operation;
  return {
    id,
    state,
    paused: state === "working" && rotation.pausedAt !== undefined,
    progress,
    finalizedAt: rotation.finalizedAt?.toISOString() ?? null,
    finalization,
    error: error ? { code: error.code, message: error.message } : null,
    requestedBy: requesterId,
    createdAt: createdAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}

function countsOf({ pace, ratePerSecond }: Rotation, totals: WalkTotals, failed: number) {
  const { accounts, accountsDone, remaining } = totals;
  return {
    accounts: { total: accounts, done: accountsDone, failed },
    rotated: totals.rotated,
    skipped: totals.skipped,
    failed: totals.failed,
    remaining,
    payloads: totals.payloads,
    ratePerSecond: pace === undefined ? null : Math.round(pace),
    rateLimit: ratePerSecond ?? null,
    secondsLeft: pace === undefined || pace <= 0 ? null : Math.ceil(remaining / pace),
  };
}

async function finalizationOf(rows: RotationRows, rotationId: string): Promise<RotationView["finalization"]> {
  const found = await rows.rotation.finalization(rotationId);
  const operation = found && (await rows.operations.find(found.id));
  if (!found || !operation) return null;
  const { id, state, progress, error } = operation;
  return {
    id,
    state,
    sentence: progress.sentence,
    soakUntil: found.soakUntil?.toISOString() ?? null,
    error: error ? { code: error.code, message: error.message } : null,
  };
}
