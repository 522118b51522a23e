/** A secret that nobody fetched within a day is asked for anew. */
export const CLAIM_VALID_MS = 24 * 3_600_000;

/** What a call answers with in place of a secret. */
export function claimView({ id, expiresAt }: { id: string; expiresAt: Date }) {
  return {
    claimId: id,
    claimExpiresAt: expiresAt.toISOString(),
    next: `npx countersign tokens claim ${id}`,
  };
}
