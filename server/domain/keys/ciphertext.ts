import { decodeBase64 } from "../../../contracts/formats/base64.ts";
import { HubError } from "../../errors.ts";

const HEAD = /^vault:v([1-9][0-9]{0,8}):/;
const NONCE_AND_TAG = 12 + 16;

/** What a key service made, as Vault writes it: `vault:vN:` and Base 64. */
export interface Versioned {
  readonly version: number;
  readonly bytes: Buffer;
}

/** Undefined where the text is not the one spelling of such bytes: transit engines also take others, such as `v0`. */
export function readVersioned(text: string): Versioned | undefined {
  const match = HEAD.exec(text);
  const bytes = match === null ? undefined : decodeBase64(text.slice(match[0].length));
  return bytes && { version: Number(match?.[1]), bytes };
}

export function writeVersioned({ version, bytes }: Versioned): string {
  return `vault:v${version}:${bytes.toString("base64")}`;
}

/** @throws HubError CIPHERTEXT_INVALID where the text cannot be a ciphertext */
export function readCiphertext(text: string): Versioned {
  const read = readVersioned(text);
  if (read === undefined || read.bytes.length < NONCE_AND_TAG) throw invalidCiphertext();
  return read;
}

/** The version of the key that a ciphertext needs: what tells whether it is to be rewrapped. Throws CIPHERTEXT_INVALID. */
export const versionOf = (ciphertext: string): number => readCiphertext(ciphertext).version;

export function invalidCiphertext(): HubError {
  return new HubError(
    "CIPHERTEXT_INVALID",
    "This was not encrypted by this key for this use, or it was changed since.",
  );
}

export function versionTooOld(keyName: string, version: number, oldest?: number): HubError {
  const since = oldest === undefined ? "" : `; the oldest is ${oldest}`;
  const sentence = `Version ${version} of the key ${keyName} may not be used any more${since}.`;
  return new HubError("KEY_VERSION_TOO_OLD", sentence, { details: { keyName, version, oldest } });
}
