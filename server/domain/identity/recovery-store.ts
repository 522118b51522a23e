/** What recovering an account needs of its rows beside what calls do. */
export interface RecoveryStore {
  /** Operators that hold `admin`, banned or not, in the order of their creation: at most 50. */
  administrators(): Promise<readonly { readonly id: string; readonly name: string }[]>;
  /** Whose signing key it is, in force or not. */
  keyHolder(keyId: string): Promise<{ readonly personId: string; readonly isRevoked: boolean } | undefined>;
  /** Ids of the person's signing keys that are in force. */
  keysInForce(personId: string): Promise<readonly string[]>;
  /** Ends the person's signing keys but this one. */
  revokeOtherKeys(personId: string, keyId: string, at: Date): Promise<void>;
  /** Ends the principal's tokens that still open something; answers with their ids. */
  revokeTokens(principalId: string, revoked: { readonly at: Date; readonly by: string }): Promise<readonly string[]>;
}
