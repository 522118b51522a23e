import { Decrypter, Encrypter } from "age-encryption";
import { HubError } from "../../errors.ts";

/** Whom a backup is encrypted for: holders of identities, or of a passphrase. */
export type Lock = { readonly recipients: readonly string[] } | { readonly passphrase: string };

/** What opens it: identities (`AGE-SECRET-KEY-1...`), or the passphrase. */
export type Unlock = { readonly identities: readonly string[] } | { readonly passphrase: string };

type Bytes = ReadableStream<Uint8Array>;

/** As an age file. Throws INPUT_INVALID where a recipient is none. */
export async function encrypt(plain: Bytes, lock: Lock): Promise<Bytes> {
  const encrypter = new Encrypter();
  if ("passphrase" in lock) encrypter.setPassphrase(lock.passphrase);
  else for (const recipient of lock.recipients) addRecipient(encrypter, recipient);
  return encrypter.encrypt(plain);
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new HubError("INPUT_INVALID", "A recipient is written age1..., as age-keygen prints it.", {
      cause,
      path: "recipient",
    });
  }
}

/**
 * The header is read and the key tried before it answers; what comes then is authenticated piece by piece, and its end
 * too. Throws BACKUP_KEY_WRONG where nothing given opens it, INPUT_INVALID for what is no identity, BACKUP_DAMAGED where it
 * is no age file.
 */
export async function decrypt(file: Bytes, unlock: Unlock): Promise<Bytes> {
  const decrypter = new Decrypter();
  if ("passphrase" in unlock) decrypter.addPassphrase(unlock.passphrase);
  else for (const identity of unlock.identities) addIdentity(decrypter, identity);
  try {
    return await decrypter.decrypt(file);
  } catch (cause) {
    if (/identity|identities|passphrase/.test((cause as Error).message))
      throw new HubError(
        "BACKUP_KEY_WRONG",
        "This identity or passphrase does not open the backup, or its header was changed.",
        { cause },
      );
    throw new HubError("BACKUP_DAMAGED", "This is no age file, or its beginning was changed.", { cause });
  }
}

function addIdentity(decrypter: Decrypter, identity: string): void {
  try {
    decrypter.addIdentity(identity);
  } catch (cause) {
    throw new HubError("INPUT_INVALID", "The identity file holds no identity of age's (AGE-SECRET-KEY-1...).", {
      cause,
      path: "identityFile",
    });
  }
}
