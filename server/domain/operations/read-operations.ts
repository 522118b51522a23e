import type { OperationView } from "../../../contracts/operations/operation.ts";
import { HubError } from "../../errors.ts";
import type { ApprovalReader } from "../approvals/approval-store.ts";
import type { Page, PageRequest } from "../page.ts";
import type { OperationReader } from "./operation-store.ts";
import { operationView, waitingView } from "./operation-view.ts";

export interface OperationRows {
  readonly operations: OperationReader;
  readonly approvals: ApprovalReader;
}

interface Viewer {
  readonly account: { readonly profile: "solo" | "team" };
}

/** Of whatever kind. Throws NOT_FOUND. */
export async function getOperation(rows: OperationRows, id: string, viewer: Viewer, now: Date): Promise<OperationView> {
  const operation = await rows.operations.find(id);
  if (operation) return operationView(operation);
  const request = await rows.approvals.find(id);
  if (!request) throw new HubError("NOT_FOUND", "There is no such operation.", { path: "operationId" });
  return waitingView(request, await rows.approvals.decisions(id), viewer.account.profile, now);
}

/** Newest first, of all kinds: an id is a UUIDv7, so that it tells when the work began. */
export async function listOperations(
  rows: OperationRows,
  filter: { readonly requesterId?: string | undefined },
  page: PageRequest,
  viewer: Viewer,
  now: Date,
): Promise<Page<OperationView>> {
  const [work, waiting] = [
    await rows.operations.list(filter, page),
    await rows.approvals.list({ requesterId: filter.requesterId }, page, now),
  ];
  const views = work.items.map(operationView);
  for (const request of waiting.items)
    views.push(waitingView(request, await rows.approvals.decisions(request.id), viewer.account.profile, now));
  const items = views.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, page.limit);
  const last = items.at(-1);
  const more = views.length > page.limit || work.next !== undefined || waiting.next !== undefined;
  return more && last ? { items, next: rows.operations.cursorAfter(last.id) } : { items };
}
