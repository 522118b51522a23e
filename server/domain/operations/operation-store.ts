import type { Progress } from "../../../contracts/operations/progress.ts";
import type { ErrorCode } from "../../errors.ts";
import type { Page, PageRequest } from "../page.ts";

export type OperationState = "working" | "completed" | "failed" | "cancelled";

/**
 * Long work as a row. Whoever advances it holds the fence that claiming it gave; a process that was thought dead finds
 * another number there and changes nothing any more.
 */
export interface Operation {
  readonly id: string;
  /** `gitops.sync` */
  readonly kind: string;
  /** What it is about: `gitops/repositories/<name>`. */
  readonly subject: string;
  /** The action that a job carries out for it. */
  readonly action: string;
  readonly requesterId: string;
  readonly traceId?: string;
  readonly state: OperationState;
  readonly progress: Progress;
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly details?: unknown };
  readonly fence: number;
  /** From then on it may be given up for lost. */
  readonly deadline: Date;
  readonly createdAt: Date;
  readonly endedAt?: Date;
}

export type NewOperation = Pick<
  Operation,
  "id" | "kind" | "subject" | "action" | "requesterId" | "traceId" | "progress" | "deadline" | "createdAt"
>;

export interface OperationFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: unknown;
}

export interface OperationReader {
  find(id: string): Promise<Operation | undefined>;
  /** Newest first. */
  list(filter: { readonly requesterId?: string | undefined }, page: PageRequest): Promise<Page<Operation>>;
  /** A cursor of this list's, and of every list that goes down by ids. */
  cursorAfter(id: string): string;
}

export interface OperationWriter {
  /** A working operation of this kind about this subject, locked until the transaction ends. */
  working(kind: string, subject: string): Promise<Operation | undefined>;
  /** With a job, sent in this transaction. Throws CONFLICT where one of this kind and subject began meanwhile. */
  start(operation: NewOperation): Promise<void>;
  /** Sends its job once more, for now or for then; whether it is working. */
  again(id: string, at?: Date): Promise<boolean>;
  /** Raises the fence; undefined where it is over. */
  claim(id: string, at: Date): Promise<Operation | undefined>;
  /** Whether it is working under this fence; locked until the transaction ends. */
  holds(id: string, fence: number): Promise<boolean>;
  /** Each answers with whether the fence held and the operation was working. */
  advance(id: string, fence: number, progress: Progress, at: Date): Promise<boolean>;
  complete(id: string, fence: number, sentence: string, at: Date): Promise<boolean>;
  /**
   * The operation where followers were told of no progress of it since `before`, which from now on they were; undefined
   * where they were, or the fence does not hold.
   */
  untold(id: string, fence: number, before: Date, at: Date): Promise<Operation | undefined>;
  /** Whatever its fence: whether it was working. */
  cancel(id: string, at: Date): Promise<boolean>;
  fail(id: string, fence: number, failure: OperationFailure, at: Date): Promise<boolean>;
}
