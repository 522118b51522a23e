import { randomBytes } from "node:crypto";
import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import { HubError } from "../../errors.ts";
import { requireStrong } from "./passphrase.ts";
import { createOnce, exists, openRootKeyFile, syncFolder } from "./root-key-file.ts";
import { nextOf, type RootKeyPlace } from "./root-key-ring.ts";
import { writeRootKeyText } from "./root-key-text.ts";

/**
 * Puts the root key under another passphrase, or under none: the key stays the same, and so does what it wraps. Hubs that
 * run have it open already; the next start needs the new passphrase.
 *
 * Throws as openRootKeyFile, CONFIG_INVALID for a weak passphrase, CONFLICT while a rotation is under way.
 */
export async function protectRootKey(place: RootKeyPlace, passphrase: string | undefined): Promise<void> {
  const { path } = place;
  if (passphrase !== undefined) requireStrong(passphrase);
  if (await exists(nextOf(path))) {
    throw new HubError("CONFLICT", "A rotation of the root key has not come to its end: run it again first.");
  }
  const key = await openRootKeyFile({ ...place, create: false });
  const draft = `${path}.draft-${randomBytes(6).toString("hex")}`;
  await createOnce(draft, () => writeRootKeyText(key, passphrase));
  await rename(draft, path);
  await syncFolder(dirname(path));
}
