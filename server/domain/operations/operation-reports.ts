import type { Progress } from "../../../contracts/operations/progress.ts";

/** Tells how far an operation is while its action reaches out, in a short transaction of its own. */
export interface OperationReports {
  /** Throws CANCELLED where the operation is over, or another process holds it. */
  report(
    accountId: string,
    operation: { readonly operationId: string; readonly fence: number },
    progress: Progress,
  ): Promise<void>;
  /** Resolves when the operation (or the call that waits for people) of this id is over, or the time is up. */
  wait(accountId: string, operationId: string, forMs: number, signal: AbortSignal): Promise<void>;
}
