/** An account's journal as it lies in the database, read in pages: what the verifier walks. Nothing in it is trusted. */
export interface JournalSource {
  account(): Promise<{ readonly profile: "solo" | "team" }>;
  /** In the order of their epochs. */
  lanes(afterEpoch: number): Promise<LaneRecord[]>;
  /** In the order of their sequence, from `from` on and below `to`. */
  receipts(epoch: number, from: number, to: number): Promise<ReceiptRecord[]>;
  /** In the order of their size, above `after` and up to `to`. */
  commits(epoch: number, after: number, to: number): Promise<CommitRecord[]>;
  /** Receipts that lie beyond the end of their lane, read in one look. */
  beyond(epoch: number): Promise<number | undefined>;
  logSize(): Promise<number>;
  /** In the order of their position, from `from` on and below `to`. */
  log(from: number, to: number): Promise<LogRecord[]>;
}

export interface LaneRecord {
  readonly epoch: number;
  readonly size: number;
  readonly head: Buffer;
  readonly root: Buffer;
  readonly certificate: string;
  /** Whether the epoch's process is known to have ended. */
  readonly closed: boolean;
  /** How many of its receipts are in the log. */
  readonly integrated: number;
}

export interface ReceiptRecord extends EntryColumns {
  readonly sequence: number;
  readonly statement: Buffer;
  /** Hex SHA-256 of the statement of the call's other receipt, in whatever lane. */
  readonly other: string | undefined;
  /** Whether the call of an intent is listed as under way. */
  readonly inFlight: boolean;
}

export interface EntryColumns {
  readonly callId: string;
  readonly phase: string;
  readonly action: string;
  readonly principalId: string | undefined;
  readonly code: string;
  readonly at: Date;
}

export interface CommitRecord {
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
  readonly laneIndex: number;
  readonly path: readonly Buffer[];
}

export interface LogRecord extends EntryColumns {
  readonly position: number;
  readonly epoch: number;
  readonly sequence: number;
  /** The receipt that it points at, where there is one. */
  readonly receipt: EntryColumns | undefined;
}
