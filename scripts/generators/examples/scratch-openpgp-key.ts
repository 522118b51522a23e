import { openpgp } from "../../../contracts/formats/openpgp/library.ts";

/** An OpenPGP key that somebody keeps elsewhere: its certificate, and what it signs. */
export interface ScratchOpenPgpKey {
  /** Armoured. */
  readonly certificate: string;
  sign(bytes: Uint8Array): Promise<Buffer>;
}

/** Ed25519, with a subkey that signs and one that encrypts; for a year, where nothing else is said. */
export async function scratchOpenPgpKey(
  name: string,
  { date = new Date(), seconds = 365 * 86_400 }: { readonly date?: Date; readonly seconds?: number } = {},
): Promise<ScratchOpenPgpKey> {
  const { generateKey, createMessage, sign } = await openpgp();
  const { privateKey } = await generateKey({
    type: "ecc",
    userIDs: { name },
    subkeys: [{ sign: true }, {}],
    keyExpirationTime: seconds,
    date,
    format: "object",
  });
  return {
    certificate: privateKey.toPublic().armor(),
    async sign(bytes) {
      const message = await createMessage({ binary: Uint8Array.from(bytes) });
      return Buffer.from(await sign({ message, signingKeys: privateKey, detached: true, format: "binary" }));
    },
  };
}
