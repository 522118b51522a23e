/** What a stored credential is: this says how it is sent, and which port its hosts have where none is named. */
export const CREDENTIAL_KINDS = ["git-https", "ssh-key", "bearer-token"] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];
