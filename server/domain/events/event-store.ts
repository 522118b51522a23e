import type { Page, PageRequest } from "../page.ts";

/** A fact that others may act on. Types are catalogued in contracts/telemetry/events.v1.json. */
export interface EventRow {
  readonly id: string;
  readonly type: string;
  /** What it is about, e.g. `fleet/Template/web`, `approvals/<id>`. */
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly at: Date;
  readonly position: number;
}

export interface NewEvent {
  readonly type: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventFilter {
  readonly types?: readonly string[] | undefined;
  readonly subject?: string | undefined;
}

export interface EventReader {
  /** Oldest first by position, after the cursor. `next` is always there: who follows along goes on from it. */
  list(filter: EventFilter, page: PageRequest): Promise<Page<EventRow>>;
}

export interface EventWriter {
  /** In the effect's transaction; the integrator gives it a position after commit. */
  emit(...events: readonly NewEvent[]): Promise<void>;
}
