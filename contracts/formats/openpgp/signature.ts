import type { Signature, SignaturePacket } from "openpgp";
import { HubError } from "../../../server/errors.ts";
import { type OpenPgpCertificate, signingKeyAt } from "./certificate.ts";
import { openpgp, reasonOf, strictConfig } from "./library.ts";

/** When a signature may have been made, and when its key has to be good besides. */
export interface SignedWhen {
  readonly from: Date;
  readonly until: Date;
  readonly now: Date;
}

/** Bytes; RSA with 8,192 bits takes half of it. */
const MAX_SIGNATURE_LENGTH = 3_000;

/**
 * Verifies a detached binary signature over `message`: one signature packet of version 4 or 6, by SHA-256 or better, made
 * within the given time by a key of the certificate that might sign then and may sign now. Throws ENVELOPE_INVALID, which
 * says what is wrong.
 */
export async function verifyOpenPgpSignature(
  certificate: OpenPgpCertificate,
  message: Uint8Array,
  signature: Uint8Array,
  { from, until, now }: SignedWhen,
): Promise<void> {
  const library = await openpgp();
  const config = strictConfig(library);
  const { packet, detached } = await readDetached(signature);
  const { created } = packet;
  if (!(created instanceof Date)) throw refusal("it does not say when it was made");
  if (created < from)
    throw refusal(`it was made on ${created.toISOString()}, before there was anything to sign; check the clock`);
  if (created > until) throw refusal(`it is dated in the future (${created.toISOString()}); check the clock`);

  const { key } = certificate;
  const [signer] = key.getKeys(packet.issuerKeyID);
  const { issuerFingerprint } = packet;
  const isSigner =
    issuerFingerprint === null || Buffer.from(issuerFingerprint).toString("hex") === signer?.getFingerprint();
  if (signer === undefined || !isSigner) throw refusal("it was made with a key that the certificate does not hold");
  // the clock of who signs may be a little ahead
  const present = created > now ? created : now;
  for (const [at, when] of [
    [created, "when it was made"],
    [present, "now"],
  ] as const) {
    await signingKeyAt(key, packet.issuerKeyID, at, config).catch((error: unknown) => {
      throw refusal(`its key could not sign ${when}: ${reasonOf(error)}`, error);
    });
  }
  const { signatures } = await library.verify({
    message: await library.createMessage({ binary: Uint8Array.from(message) }),
    signature: detached,
    verificationKeys: key,
    date: present,
    format: "binary",
    config,
  });
  await signatures[0]?.verified.catch((error: unknown) => {
    throw refusal(`it does not verify: ${reasonOf(error)}`, error);
  });
  if (signatures.length !== 1) throw refusal("it does not verify");
}

/** The one packet of a detached signature, of a kind that can be taken; nothing is verified yet. */
async function readDetached(signature: Uint8Array): Promise<{ packet: SignaturePacket; detached: Signature }> {
  if (signature.length === 0 || signature.length > MAX_SIGNATURE_LENGTH) throw refusal("it is none, by its length");
  if (Buffer.from(signature.subarray(0, 10)).toString("latin1") === "-----BEGIN")
    throw refusal("it is armoured; the binary form is wanted (gpg --detach-sign, without --armor)");
  const library = await openpgp();
  const config = { ...strictConfig(library), ignoreUnsupportedPackets: false, ignoreMalformedPackets: false };
  let detached: Signature;
  try {
    detached = await library.readSignature({ binarySignature: Uint8Array.from(signature), config });
  } catch (error) {
    throw refusal(`it cannot be read: ${reasonOf(error)}`, error);
  }
  const [packet, ...others] = detached.packets;
  if (packet === undefined || others.length > 0) throw refusal("exactly one signature is wanted");
  const { signature: types, hash } = library.enums;
  if (packet.version !== 4 && packet.version !== 6) throw refusal(`its version is ${packet.version}; 4 or 6 is wanted`);
  if (packet.signatureType !== types.binary)
    throw refusal("it is none over a binary document (gpg --detach-sign, without --textmode or --clear-sign)");
  const strong: readonly (number | null)[] = [hash.sha256, hash.sha384, hash.sha512, hash.sha3_256, hash.sha3_512];
  if (!strong.includes(packet.hashAlgorithm)) throw refusal("its hash is weaker than SHA-256");
  return { packet, detached };
}

/** A detached signature as other tools write it, in its binary form: armour is taken off. Throws ENVELOPE_INVALID. */
export async function binarySignature(file: Uint8Array): Promise<Buffer> {
  const text = Buffer.from(file).toString("latin1").trimStart();
  if (!text.startsWith("-----BEGIN")) return Buffer.from(file);
  const { readSignature } = await openpgp();
  try {
    return Buffer.from((await readSignature({ armoredSignature: text })).write() as Uint8Array);
  } catch (error) {
    throw refusal(`it cannot be read: ${reasonOf(error)}`, error);
  }
}

function refusal(reason: string, cause?: unknown): HubError {
  return new HubError("ENVELOPE_INVALID", `The OpenPGP signature is refused: ${reason}.`, {
    path: "signatures[0].sig",
    cause,
  });
}
