import type { Env } from "./env.ts";

/** Where the transit engine is and how to sign in there; secrets stay in files. */
export interface VaultConfig {
  readonly address: string;
  readonly namespace?: string;
  readonly mount: string;
  readonly auth:
    | { readonly method: "token"; readonly tokenFile: string }
    | { readonly method: "approle"; readonly mount: string; readonly roleId: string; readonly secretIdFile: string }
    | { readonly method: "jwt"; readonly mount: string; readonly role?: string; readonly jwtFile: string };
  readonly caFile?: string;
  readonly clientCertFile?: string;
  readonly clientKeyFile?: string;
}

/** Of variables that were checked by `vaultContradictions` (vault-variables.ts). */
export function vaultFrom(env: Env): VaultConfig {
  const { COUNTERSIGN_VAULT_NAMESPACE: namespace, COUNTERSIGN_VAULT_CA_FILE: caFile } = env;
  const { COUNTERSIGN_VAULT_CLIENT_CERT_FILE: clientCertFile, COUNTERSIGN_VAULT_CLIENT_KEY_FILE: clientKeyFile } = env;
  return {
    address: new URL(present(env.COUNTERSIGN_VAULT_ADDR)).origin,
    mount: env.COUNTERSIGN_VAULT_MOUNT,
    auth: authFrom(env),
    ...(namespace !== undefined && { namespace }),
    ...(caFile !== undefined && { caFile }),
    ...(clientCertFile !== undefined && { clientCertFile }),
    ...(clientKeyFile !== undefined && { clientKeyFile }),
  };
}

function authFrom(env: Env): VaultConfig["auth"] {
  const { COUNTERSIGN_VAULT_AUTH: method, COUNTERSIGN_VAULT_AUTH_MOUNT: mount = method } = env;
  if (method === "token") return { method, tokenFile: present(env.COUNTERSIGN_VAULT_TOKEN_FILE) };
  if (method === "approle") {
    const secretIdFile = present(env.COUNTERSIGN_VAULT_SECRET_ID_FILE);
    return { method, mount, roleId: present(env.COUNTERSIGN_VAULT_ROLE_ID), secretIdFile };
  }
  const { COUNTERSIGN_VAULT_ROLE: role } = env;
  return { method, mount, ...(role !== undefined && { role }), jwtFile: present(env.COUNTERSIGN_VAULT_JWT_FILE) };
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("cannot happen: readEnv let a variable be missing");
  return value;
}
