import { HubError } from "../../errors.ts";
import { NOT_LET_IN } from "./refusals.ts";
import type { VaultAuth, VaultSettings } from "./vault-settings.ts";

/** What says with what the hub signs in. */
const SETTINGS: Readonly<Record<VaultAuth["method"], string>> = {
  token: "the token is in the file that COUNTERSIGN_VAULT_TOKEN_FILE names",
  approle:
    "the role is COUNTERSIGN_VAULT_ROLE_ID, its secret id in the file that COUNTERSIGN_VAULT_SECRET_ID_FILE names, and COUNTERSIGN_VAULT_AUTH_MOUNT is where",
  jwt: "the role is COUNTERSIGN_VAULT_ROLE, the JWT in the file that COUNTERSIGN_VAULT_JWT_FILE names, and COUNTERSIGN_VAULT_AUTH_MOUNT is where",
};

/** A refusal in words for whoever starts a hub: at which address, by which method, and where to look. Others stay as they are. */
export function refusedAtStart(error: unknown, { address, auth }: Pick<VaultSettings, "address" | "auth">): unknown {
  if (!(error instanceof HubError && error.code === "KEY_SERVICE_DENIED")) return error;
  const { code, message, details, cause } = error;
  const isOutside = details?.["reason"] === NOT_LET_IN;
  const told = isOutside
    ? `The key service at ${address} did not let the hub sign in by the method "${auth.method}": ${SETTINGS[auth.method]}.`
    : `${message} It did let the hub sign in, at ${address} by the method "${auth.method}": docs/KEYS.md has the policy that a hub needs.`;
  return new HubError(code, told, { ...(details && { details }), cause });
}
