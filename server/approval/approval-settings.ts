/** How long things wait and are kept, in milliseconds, and how much a principal may ask for at a time. */
export interface ApprovalSettings {
  /** For people to decide; silence is no. */
  readonly approvalMs: number;
  /** For the execution to begin after the last approval. */
  readonly executionMs: number;
  /** For the requester to fetch the result. */
  readonly resultMs: number;
  /** Open requests of one principal. */
  readonly openPerPrincipal: number;
}

const HOUR = 3_600_000;

export const DEFAULT_APPROVAL_SETTINGS: ApprovalSettings = {
  approvalMs: 24 * HOUR,
  executionMs: HOUR,
  resultMs: 7 * 24 * HOUR,
  openPerPrincipal: 20,
};
