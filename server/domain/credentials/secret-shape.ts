import { createPrivateKey } from "node:crypto";
import type { CredentialKind } from "../../../contracts/credentials/credential-kind.ts";
import { HubError } from "../../errors.ts";

/** Throws INPUT_INVALID where a text cannot be such a secret; the message never repeats it. */
export function refuseUnfitSecret(kind: CredentialKind, secret: string): void {
  const why = kind === "ssh-key" ? whyNoKey(secret) : whyNoLine(kind, secret);
  if (why !== undefined) throw new HubError("INPUT_INVALID", `secret: ${why}.`, { path: "secret" });
}

function whyNoLine(kind: CredentialKind, secret: string): string | undefined {
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(secret)) return "one line, without control characters";
  if (secret.trim() !== secret) return "no space before or after it";
  // RFC 6750, section 2.1, and a little more, since servers are not strict about it
  if (kind === "bearer-token" && !/^[\x21-\x7e]+$/.test(secret)) return "printable ASCII without spaces, as tokens are";
  return undefined;
}

const PEM = /^-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----\r?\n([A-Za-z0-9+/=\s]+|[^-]+)-----END \1PRIVATE KEY-----\s*$/;

/** Nobody is there to type a passphrase when the hub uses it: the hub's own keys protect it. */
function whyNoKey(secret: string): string | undefined {
  const [, type = "", body = ""] = PEM.exec(secret) ?? [];
  if (body === "") return "a private key as ssh-keygen writes it, from BEGIN to END";
  if (type === "OPENSSH ") return whyNoOpenSsh(Buffer.from(body, "base64"));
  if (type === "ENCRYPTED " || /Proc-Type:.*ENCRYPTED/.test(body)) return PASSPHRASE;
  try {
    createPrivateKey(secret);
    return undefined;
  } catch {
    return "a private key that can be read";
  }
}

const PASSPHRASE = "a private key without a passphrase; `ssh-keygen -p` takes it off";
const MAGIC = Buffer.from("openssh-key-v1\0");

/** PROTOCOL.key of OpenSSH: the magic, then the name of the cipher, `none` where there is no passphrase. */
function whyNoOpenSsh(bytes: Buffer): string | undefined {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC) || bytes.length < MAGIC.length + 8)
    return "a private key that can be read";
  const start = MAGIC.length + 4;
  const cipher = bytes.subarray(start, start + bytes.readUInt32BE(MAGIC.length)).toString("latin1");
  return cipher === "none" ? undefined : PASSPHRASE;
}
