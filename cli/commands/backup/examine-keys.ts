import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type BackupKeyLine, backupKeyLine } from "../../../contracts/backup/manifest.ts";
import type { KeyService } from "../../../server/domain/keys/key-service.ts";
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
 * Holds what a backup says of keys against the key service: every version that it may need has to be there, with the same
 * public half, and each key has to work. Yields what does not hold; throws KEY_SERVICE_* where the service does not answer.
 */
export async function* examineKeys(keysFile: string, keys: Keys): AsyncGenerator<Finding | undefined> {
  const lines = createInterface({ input: createReadStream(keysFile), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    if (line === "") continue;
    const said = backupKeyLine.parse(JSON.parse(line));
    const { accountId, name } = said;
    const fault = await faultOf(said, keys).catch((error: unknown) => {
      const failure = toHubError(error);
      if (failure.code.startsWith("KEY_SERVICE_") || failure.code === "STORE_UNAVAILABLE") throw failure;
      return { code: failure.code, sentence: failure.message };
    });
    yield fault && { what: `key ${name}`, accountId, ...fault };
  }
}

async function faultOf(said: BackupKeyLine, keys: Keys): Promise<Pick<Finding, "code" | "sentence"> | undefined> {
  const { accountId, name } = said;
  const is = await keys.metadata(accountId, name);
  if (is.type !== said.type) return { code: "KEY_TYPE_MISMATCH", sentence: `It is ${is.type}, and was ${said.type}.` };
  if (is.latestVersion < said.latestVersion)
    return {
      code: "KEY_NOT_FOUND",
      sentence: `Its latest version is ${is.latestVersion}; the backup needs ${said.latestVersion}.`,
    };
  if (is.minDecryptionVersion > said.minDecryptionVersion)
    return {
      code: "KEY_VERSION_TOO_OLD",
      sentence: `Versions below ${is.minDecryptionVersion} are out of use; the backup may need them from ${said.minDecryptionVersion} on.`,
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
