import type { WalkedBatchView } from "../../../contracts/vault/walk.ts";
import type { Page, PageRequest } from "../page.ts";
import type { RotationReader, WalkedBatch } from "./rotation-store.ts";

/** What a rotation carried over in one account, batch by batch, each with what opens the commitment in its receipt. */
export async function listBatches(
  rotation: RotationReader,
  rotationId: string,
  page: PageRequest,
): Promise<Page<WalkedBatchView>> {
  const { items, ...rest } = await rotation.batches(rotationId, page);
  return { ...rest, items: items.map(batchView) };
}

const batchView = ({ no, callId, digest, salt, ids, fromVersions, toVersions }: WalkedBatch): WalkedBatchView => ({
  ...{ no, callId, digest, salt: salt.toString("base64") },
  moved: ids.map((id, i) => ({ id, from: fromVersions[i] ?? 0, to: toVersions[i] ?? 0 })),
});
