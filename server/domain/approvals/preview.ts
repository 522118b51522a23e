/**
 * What approvers are shown of a call before they sign: plain words and before/after values, no secret. The digest of
 * its escaped form is part of the request, so that what was seen is what was signed.
 */
export interface Preview {
  /** One sentence: who would change what. */
  readonly headline: string;
  readonly changes: readonly PreviewChange[];
}

export interface PreviewChange {
  /** A path or a name that a person recognises: `spec.version`, `label team`. */
  readonly field: string;
  /** Absent: it is new. */
  readonly before?: string;
  /** Absent: it goes away. */
  readonly after?: string;
}
