import type { ReceiptSummary } from "../../../contracts/evidence/receipt.ts";
import type { Page, PageRequest } from "../page.ts";
import type { ReceiptFilter, ReceiptReader } from "./receipt-store.ts";

export async function listReceipts(
  receipts: ReceiptReader,
  filter: ReceiptFilter,
  page: PageRequest,
): Promise<Page<ReceiptSummary>> {
  const { items, ...rest } = await receipts.list(filter, page);
  return {
    ...rest,
    items: items.map(({ at, principalId, ...row }) => ({
      ...row,
      principalId: principalId ?? null,
      at: at.toISOString(),
    })),
  };
}
