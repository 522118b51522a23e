/** One version of an account's policy document. The newest is in force. */
export interface PolicyVersion {
  readonly version: number;
  /** Canonical JSON (RFC 8785) of the document. */
  readonly document: string;
  /** Hex SHA-256 of `document`. */
  readonly hash: string;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export interface PolicyReader {
  current(): Promise<PolicyVersion>;
  /** Undefined where there is no such version. */
  version(version: number): Promise<PolicyVersion | undefined>;
}

export interface PolicyWriter {
  /** Throws VERSION_CONFLICT where `version` is taken: somebody else changed the policy meanwhile. */
  insert(version: Omit<PolicyVersion, "createdAt">): Promise<void>;
}
