import { createSecretKey, type KeyObject, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { decodeBase64 } from "../../../contracts/formats/base64.ts";
import { seal, unseal } from "./sealed-bytes.ts";

const KEY_LENGTH = 32;
const SALT_LENGTH = 16;
const HEAD = "countersign-root-key-v1 scrypt";
/** RFC 7914: 128 MB and a third of a second for each guess. */
const COST = { N: 2 ** 17, r: 8, p: 1 };
/** What a file may ask for: it is ours, and still not to take all memory. */
const HIGHEST_COST = 2 ** 20;
const PROTECTED = new RegExp(
  `^${HEAD} ([0-9]{1,8}) ([0-9]{1,2}) ([0-9]{1,2}) ([A-Za-z0-9+/=]{24}) ([A-Za-z0-9+/=]{80})$`,
);

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);

/** What a root key file says: the key itself, or the key sealed under a passphrase. */
export type RootKeyText =
  | { readonly kind: "plain"; readonly key: KeyObject }
  | { readonly kind: "protected"; open(passphrase: string): Promise<KeyObject | undefined> };

/** Undefined where the text is no root key. */
export function readRootKeyText(text: string): RootKeyText | undefined {
  const match = PROTECTED.exec(text);
  if (match === null) {
    const bytes = decodeBase64(text);
    return bytes?.length === KEY_LENGTH ? { kind: "plain", key: secretOf(bytes) } : undefined;
  }
  const [N = 0, r = 0, p = 0] = match.slice(1, 4).map(Number);
  const [salt, sealed] = [decodeBase64(match[4] ?? ""), decodeBase64(match[5] ?? "")];
  if (salt === undefined || sealed === undefined || N > HIGHEST_COST || r > 16 || p > 4) return undefined;
  return {
    kind: "protected",
    async open(passphrase) {
      const bytes = unseal(await wrapping(passphrase, salt, { N, r, p }), sealed, Buffer.from(HEAD));
      return bytes?.length === KEY_LENGTH ? secretOf(bytes) : undefined;
    },
  };
}

/** The text for a file, with its line's end; sealed where there is a passphrase. */
export async function writeRootKeyText(key: KeyObject, passphrase?: string): Promise<string> {
  if (passphrase === undefined) return `${key.export().toString("base64")}\n`;
  const salt = randomBytes(SALT_LENGTH);
  const sealed = seal(await wrapping(passphrase, salt, COST), key.export(), Buffer.from(HEAD));
  const { N, r, p } = COST;
  return `${[HEAD, N, r, p, salt.toString("base64"), sealed.toString("base64")].join(" ")}\n`;
}

export function newRootKey(): KeyObject {
  return secretOf(randomBytes(KEY_LENGTH));
}

/** One passphrase in all the ways in which keyboards write it. */
async function wrapping(passphrase: string, salt: Buffer, cost: typeof COST): Promise<KeyObject> {
  const maxmem = 2 * 128 * cost.N * cost.r * cost.p;
  return secretOf(await derive(passphrase.normalize("NFKC"), salt, KEY_LENGTH, { ...cost, maxmem }));
}

function secretOf(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}
