/** For tests: a record that has everything. */
import { credentialDigest } from "./credential-record.ts";
import type { CredentialRecord } from "./credential-store.ts";

export function aRecord(more: Partial<CredentialRecord> = {}): CredentialRecord {
  const record = {
    accountId: "018f0000-0000-7000-8000-000000000001",
    id: "018f0000-0000-7000-8000-000000000002",
    name: "forge",
    kind: "git-https" as const,
    username: "robot",
    allowedHosts: ["git.example.com", "*.forge.example"],
    consumers: ["gitops/shop", "gateway"],
    expiresAt: new Date("2027-01-01T00:00:00Z"),
    rotateEveryDays: 90,
    version: 2,
    materialVersion: 1,
    wrappedKey: "vault:v1:wrapped",
    sealed: Buffer.from("sealed"),
    salt: Buffer.alloc(32),
    ...more,
  };
  return { ...record, digest: credentialDigest(record) };
}
