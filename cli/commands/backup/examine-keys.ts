import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type BackupKeyLine, backupKeyLine } from "../../../contracts/backup/manifest.ts";
import type { KeyService } from "../../../server/domain/keys/key-service.ts";
import { WRAPPING_KEY } from "../../../server/domain/rotation/account-keys.ts";
import { type ErrorCode, toHubError } from "../../../server/errors.ts";

export interface Finding {
  /** `table receipt`, `key data`, `credential <id>`, `journal`. */
  readonly what: string;
  readonly accountId?: string;
  readonly code: ErrorCode | "CREDENTIAL_UNRECORDED" | "CREDENTIAL_MISSING";
  readonly sentence: string;
}

type Keys = Pick<KeyService, "metadata" | "encrypt" | "decrypt" | "sign" | "verify" | "hmac">;

const PROBE = Buffer.from("countersign backup verify");

/**
 * Holds what a backup says of keys against the key service: every version that it needs has to be there, with the same
 * public half, and each key has to work. `keyVersions` says by account how low a version of its wrapping key the rows
 * need: a rotation may have put lower ones out of use since, and rightly so. Yields what does not hold; throws KEY_SERVICE_* where the service does not answer.
 */
export async function* examineKeys(
  keysFile: string,
  keys: Keys,
  keyVersions: ReadonlyMap<string, number>,
): AsyncGenerator<Finding | undefined> {
  const lines = createInterface({ input: createReadStream(keysFile), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    if (line === "") continue;
    const said = backupKeyLine.parse(JSON.parse(line));
    const { accountId, name } = said;
    const needed = neededVersion(said, keyVersions);
    const fault = await faultOf(said, needed, keys).catch((error: unknown) => {
      const failure = toHubError(error);
      if (failure.code.startsWith("KEY_SERVICE_") || failure.code === "STORE_UNAVAILABLE") throw failure;
      return { code: failure.code, sentence: failure.message };
    });
    yield fault && { what: `key ${name}`, accountId, ...fault };
  }
}

/** Where nothing is wrapped, the latest is all that is left to need. */
function neededVersion({ accountId, name, ...said }: BackupKeyLine, keyVersions: ReadonlyMap<string, number>): number {
  if (name === WRAPPING_KEY) return keyVersions.get(accountId) ?? said.latestVersion;
  return said.minDecryptionVersion;
}

async function faultOf(
  said: BackupKeyLine,
  needed: number,
  keys: Keys,
): Promise<Pick<Finding, "code" | "sentence"> | undefined> {
  const { accountId, name } = said;
  const is = await keys.metadata(accountId, name);
  if (is.type !== said.type) return { code: "KEY_TYPE_MISMATCH", sentence: `It is ${is.type}, and was ${said.type}.` };
  if (is.latestVersion < said.latestVersion)
    return {
      code: "KEY_NOT_FOUND",
      sentence: `Its latest version is ${is.latestVersion}; the backup needs ${said.latestVersion}.`,
    };
  if (is.minDecryptionVersion > needed)
    return {
      code: "KEY_VERSION_TOO_OLD",
      sentence: `Versions below ${is.minDecryptionVersion} are out of use; the backup needs them from ${needed} on.`,
    };
  const other = is.versions.find(
    ({ version, publicKey }) =>
      said.publicKeys[version] !== undefined && publicKey?.toString("base64") !== said.publicKeys[version],
  );
  if (other) return { code: "PROOF_INVALID", sentence: `Version ${other.version} is another key than it was.` };
  return works(said, keys);
}

async function works({ accountId, name, type }: BackupKeyLine, keys: Keys): ReturnType<typeof faultOf> {
  if (type === "hmac") await keys.hmac(accountId, name, PROBE);
  else if (type === "ed25519" || type === "ecdsa-p256") {
    const signature = await keys.sign(accountId, name, PROBE);
    if (!(await keys.verify(accountId, name, PROBE, signature)))
      return { code: "PROOF_INVALID", sentence: "What it signs does not verify." };
  } else if (!(await keys.metadata(accountId, name)).derived) {
    const opened = await keys.decrypt(accountId, name, await keys.encrypt(accountId, name, PROBE));
    if (!opened.equals(PROBE)) return { code: "CIPHERTEXT_INVALID", sentence: "What it encrypts does not decrypt." };
  }
  return undefined;
}
