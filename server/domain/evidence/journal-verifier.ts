/** What a walk over an account's journal found. */
export interface JournalVerdict {
  readonly ok: boolean;
  readonly profile: "solo" | "team";
  readonly lanes: number;
  readonly receipts: number;
  /** The first entry that does not hold, and why. */
  readonly firstBad?: {
    readonly epoch: number;
    readonly sequence?: number;
    readonly receiptId?: string;
    readonly reason: string;
  };
  /** What this walk cannot show, in words. */
  readonly limits: readonly string[];
}

export interface JournalVerifier {
  /** Reads the whole journal of the account, lane by lane; memory does not grow with it. */
  verify(accountId: string, signal?: AbortSignal): Promise<JournalVerdict>;
}
