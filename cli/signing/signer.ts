import * as z from "zod";
import { keyId, sign } from "../../contracts/formats/ed25519.ts";
import { OPENPGP_KEY_ID } from "../../contracts/formats/openpgp/key-id.ts";
import { type PersonKeyShape, personKeyShape } from "../../contracts/identity/person-key.ts";
import { pageOf } from "../../contracts/page.ts";
import { HubError } from "../../server/errors.ts";
import type { CliFolder } from "../cli-folder.ts";
import type { HubClient } from "../hub-client.ts";
import { gpgSign } from "./gpg.ts";

/** A key that signs for the person at this terminal. */
export interface Signer {
  readonly keyId: string;
  sign(bytes: Buffer): Promise<Buffer>;
}

/** The key that the config folder keeps, where there is one. */
export function folderSigner(folder: CliFolder): Signer | undefined {
  const key = folder.signingKey();
  return key && { keyId: keyId(key.publicKey), sign: async (bytes) => sign(bytes, key.privateKey) };
}

/** An OpenPGP key of the user's gpg. */
export function gpgSigner(openPgpKeyId: string): Signer {
  return { keyId: openPgpKeyId, sign: (bytes) => gpgSign(fingerprintOf(openPgpKeyId), bytes) };
}

export const fingerprintOf = (openPgpKeyId: string): string => openPgpKeyId.replace(/^openpgp:/, "");

const listed = pageOf(z.looseObject(personKeyShape.shape));

/** Keys that the hub takes signatures of this person from. */
export async function liveKeys(hub: HubClient, personId: string): Promise<readonly PersonKeyShape[]> {
  return (await hub.output(listed, "system_identity_list_keys", { personId, live: true })).items;
}

/**
 * The id of the person's OpenPGP key: the one that `wanted` names, by its fingerprint or the end of it, else the only one.
 * Throws NOT_FOUND, and INPUT_INVALID where several could be meant.
 */
export function chooseOpenPgpKey(keys: readonly PersonKeyShape[], wanted?: string): string {
  const ids = keys.map(({ id }) => id).filter((id) => OPENPGP_KEY_ID.test(id));
  const end = wanted
    ?.replace(/^(openpgp:|0x)/i, "")
    .replaceAll(" ", "")
    .toLowerCase();
  const fitting = end === undefined ? ids : ids.filter((id) => id.endsWith(end));
  const [only, ...others] = fitting;
  if (only === undefined)
    throw new HubError(
      "NOT_FOUND",
      `${end === undefined ? "No OpenPGP key of yours signs here" : `No OpenPGP key of yours that signs here ends in ${end}`}: npx countersign keys add-openpgp <fingerprint>`,
    );
  if (others.length === 0) return only;
  throw new HubError("INPUT_INVALID", `Several could be meant; name one of: ${fitting.map(fingerprintOf).join(", ")}`);
}
