import type { CredentialView } from "../../../contracts/credentials/credential.ts";
import type { StoredCredential } from "./credential-store.ts";

const DAY_MS = 86_400_000;

export function credentialView(credential: StoredCredential, now: Date): CredentialView {
  const { id, name, kind, description, owner, version, materialVersion } = credential;
  return {
    id,
    name,
    kind,
    description,
    owner,
    username: credential.username ?? null,
    allowedHosts: [...credential.allowedHosts],
    consumers: [...credential.consumers],
    expiresAt: credential.expiresAt?.toISOString() ?? null,
    rotateEveryDays: credential.rotateEveryDays ?? null,
    state: stateOf(credential, now),
    version,
    materialVersion,
    keyVersion: credential.keyVersion ?? null,
    digest: credential.digest.toString("hex"),
    providedAt: credential.providedAt?.toISOString() ?? null,
    lastUsedAt: credential.lastUsedAt?.toISOString() ?? null,
    usedBy: [...credential.usedBy],
    createdAt: credential.createdAt.toISOString(),
    updatedAt: credential.updatedAt.toISOString(),
  };
}

function stateOf({ providedAt, expiresAt, rotateEveryDays }: StoredCredential, now: Date): CredentialView["state"] {
  if (expiresAt && expiresAt <= now) return "expired";
  if (!providedAt) return "waiting";
  const due = rotateEveryDays !== undefined && providedAt.getTime() + rotateEveryDays * DAY_MS <= now.getTime();
  return due ? "rotation due" : "ready";
}
