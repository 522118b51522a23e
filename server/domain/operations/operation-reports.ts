import type { Progress } from "../../../contracts/operations/progress.ts";

/** Whose rows are looked at. */
export interface OperationViewer {
  readonly account: { readonly id: string; readonly profile: "solo" | "team" };
}

export interface Waiting {
  readonly forMs: number;
  readonly signal: AbortSignal;
  readonly tell?: ((progress: Progress) => void) | undefined;
}

/** Tells how far an operation is while its action reaches out, in a short transaction of its own. */
export interface OperationReports {
  /** Who follows events is told at most once a second, of the last that was said. Throws CANCELLED where the operation is over, or another process holds it. */
  report(
    accountId: string,
    operation: { readonly operationId: string; readonly fence: number },
    progress: Progress,
  ): Promise<void>;
  /**
   * Resolves when the operation (or the call that waits for people) of this id is over, or the time is up. Meanwhile it
   * tells how far that is, at first and whenever that has changed.
   */
  wait(viewer: OperationViewer, operationId: string, waiting: Waiting): Promise<void>;
}
