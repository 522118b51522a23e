import { type FileHandle, open } from "node:fs/promises";
import { HubError } from "../../errors.ts";

/** Where a Vault or OpenBao is, and how to sign in there. Secrets stay in files, and are read when they are used. */
export interface VaultSettings {
  /** `https://vault.example.org:8200`, without a path. */
  readonly address: string;
  readonly namespace?: string;
  /** Of the transit engine. */
  readonly mount: string;
  readonly auth: VaultAuth;
  /** In PEM: authorities in place of the system's, and what the hub presents by itself. */
  readonly caFile?: string;
  readonly clientCertFile?: string;
  readonly clientKeyFile?: string;
  /** Hosts, beside the address's own, where a standby node may send a request on to. */
  readonly redirectHosts?: readonly string[];
}

export type VaultAuth =
  | { readonly method: "token"; readonly tokenFile: string }
  | { readonly method: "approle"; readonly mount: string; readonly roleId: string; readonly secretIdFile: string }
  | { readonly method: "jwt"; readonly mount: string; readonly role?: string; readonly jwtFile: string };

/** More than this is neither a token nor a certificate. */
const LONGEST_FILE = 1 << 20;

/**
 * What a file holds, without the white space at its ends.
 * @throws HubError CONFIG_INVALID where it cannot be read, is empty, or, where it is a secret, others can read it
 */
export async function readSettingsFile(path: string, kind: "secret" | "public"): Promise<string> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { mode, size } = await file.stat();
    if (kind === "secret" && (mode & 0o007) !== 0) {
      throw unusable(path, `can be read by every user (mode ${(mode & 0o777).toString(8)}). Run: chmod o-rwx ${path}`);
    }
    if (size > LONGEST_FILE) throw unusable(path, "is too large for what it should hold");
    const text = (await file.readFile("utf8")).trim();
    if (text === "") throw unusable(path, "is empty");
    return text;
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
    throw unusable(path, `cannot be read (${reason})`);
  } finally {
    await file?.close();
  }
}

function unusable(path: string, why: string): HubError {
  return new HubError("CONFIG_INVALID", `The file ${path} ${why}.`, { details: { path } });
}
