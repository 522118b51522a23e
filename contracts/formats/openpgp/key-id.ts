/**
 * The id of an OpenPGP key in envelopes and records: `openpgp:` and the primary key's whole fingerprint, lower-case
 * hexadecimal, of version 4 or 6. No id of an Ed25519 key begins so.
 */
export const OPENPGP_KEY_ID = /^openpgp:(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export function openPgpKeyId(fingerprint: string): string {
  return `openpgp:${fingerprint.toLowerCase()}`;
}
