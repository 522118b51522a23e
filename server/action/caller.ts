/** Who calls: a principal of an account, read anew for each call, so that a ban or a lost role counts at once. */
export interface Caller {
  readonly account: {
    readonly id: string;
    readonly name: string;
    readonly profile: "solo" | "team";
    readonly isHub: boolean;
  };
  readonly principal: {
    readonly id: string;
    readonly kind: "operator" | "agent" | "service";
    readonly name: string;
    readonly roles: readonly string[];
    /** The person an operator is. */
    readonly personId?: string;
    /** The person an agent belongs to. */
    readonly ownerPersonId?: string;
  };
  /** The policy document in force when the call was identified. */
  readonly policy: { readonly version: number; readonly hash: string };
  /** The token that named the principal; absent where a job acts for it. */
  readonly tokenId?: string;
}
