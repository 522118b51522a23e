import { link, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { HubError } from "../../errors.ts";
import { createOnce, exists, readRootKeyFile, syncFolder } from "./root-key-file.ts";
import { nextOf, type RootKeyPlace, RootKeyRing } from "./root-key-ring.ts";
import { newRootKey, readRootKeyText, writeRootKeyText } from "./root-key-text.ts";
import { rewrapKeyVersion, type VersionPlace } from "./wrapped-key.ts";

export interface RootRotation {
  /** A passphrase that protects the old key protects the new one too. */
  readonly place: RootKeyPlace;
  /** Hands each wrapped secret of the store to `rewrap`, and stores what it answers with, all or nothing. */
  readonly rewrapAll: (rewrap: (place: VersionPlace, wrapped: Buffer) => Buffer | undefined) => Promise<number>;
  readonly now: () => Date;
  /** Told after each step: a test ends the process there. */
  readonly onStep?: (step: "written" | "rewrapped" | "kept") => void;
}

export interface RootRotated {
  /** Secrets that were wrapped anew; those that an earlier try had wrapped are not counted. */
  readonly rewrapped: number;
  /** An earlier rotation had not come to its end, and this one finished it with the key that it had made. */
  readonly resumed: boolean;
  /** Versions that neither key opens: they were spoilt before, and are left as they are. */
  readonly spoilt: readonly Omit<VersionPlace, "derived" | "type">[];
  /** Where the old key is kept: backups of the database from before need it. */
  readonly oldKeyFile: string;
}

/**
 * Replaces the root key: writes the new one beside the old, wraps every secret under it in one transaction, then gives it
 * the old one's name. Whatever ends it on the way, hubs find both keys, and the next rotation goes on where it ended.
 *
 * Throws CONFIG_INVALID and KEY_SERVICE_UNREACHABLE as openRootKeyFile, and what `rewrapAll` throws.
 */
export async function rotateRootKey({ place, rewrapAll, now, onStep }: RootRotation): Promise<RootRotated> {
  const { path, dataFolder } = place;
  const next = nextOf(path);
  const ring = await RootKeyRing.open(place);
  const held = readRootKeyText(await readRootKeyFile({ path, dataFolder, create: false }));
  const resumed = await exists(next);
  if (!resumed) {
    const protectWith = held?.kind === "protected" ? await ring.passphrase() : undefined;
    await createOnce(next, () => writeRootKeyText(newRootKey(), protectWith));
  }
  onStep?.("written");
  await ring.newest();
  const [fresh, old] = ring.known;
  if (fresh === undefined || old === undefined) {
    throw new HubError(
      "CONFLICT",
      "Another rotation of the root key ended while this one began: nothing is left to do.",
    );
  }
  const spoilt: RootRotated["spoilt"][number][] = [];
  const rewrapped = await rewrapAll((version, wrapped) => {
    if (rewrapKeyVersion(fresh, fresh, version, wrapped) !== undefined) return undefined; // by an earlier try
    const bytes = rewrapKeyVersion(old, fresh, version, wrapped);
    if (bytes === undefined) {
      const { accountId, keyName, version: number } = version;
      spoilt.push({ accountId, keyName, version: number });
    }
    return bytes;
  });
  onStep?.("rewrapped");
  const oldKeyFile = `${path}.until-${now()
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, "")}`;
  await link(path, oldKeyFile);
  onStep?.("kept");
  await rename(next, path);
  await syncFolder(dirname(path));
  return { rewrapped, resumed, spoilt, oldKeyFile };
}
