/** What a call does to the world, who must agree, and through which door it came: the words that risk is spoken in. */
export const EFFECTS = ["read", "write", "destructive", "external"] as const;
export const APPROVALS = ["none", "confirm", "approve", "two-person"] as const;
export const CHANNELS = ["mcp", "http", "cli", "job"] as const;

/** What a call does to the world. */
export type Effect = (typeof EFFECTS)[number];
/** Who has to agree before it happens, unless the account's policy asks for more or, where `loosens` allows, for less. */
export type Approval = (typeof APPROVALS)[number];
/** The door that a call came through. */
export type Channel = (typeof CHANNELS)[number];

export interface Risk {
  readonly effect: Effect;
  readonly approval: Approval;
  /** Whether the account's policy may ask for less than `approval`. */
  readonly loosens: boolean;
  /** Inputs that ask for more: who has to agree where this boolean field is true. No policy loosens it. */
  readonly raises?: Readonly<Record<string, Approval>>;
}

/** What an input's own fields ask for, beside the action's `approval`; the strictest of them. */
export function raisedBy({ raises = {} }: Risk, input: unknown): Approval | undefined {
  const fields = (input ?? {}) as Readonly<Record<string, unknown>>;
  const asked = Object.entries(raises).flatMap(([field, approval]) => (fields[field] === true ? [approval] : []));
  return asked.toSorted((a, b) => APPROVALS.indexOf(b) - APPROVALS.indexOf(a))[0];
}
