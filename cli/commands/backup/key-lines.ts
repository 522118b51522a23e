import type { BackupKeyLine } from "../../../contracts/backup/manifest.ts";
import type { KeyService } from "../../../server/domain/keys/key-service.ts";

/** What there is of an account's keys, a line a key. Throws KEY_SERVICE_*. */
export async function keyLines(
  keys: Pick<KeyService, "list" | "metadata">,
  accountId: string,
): Promise<BackupKeyLine[]> {
  const lines: BackupKeyLine[] = [];
  for (const name of await keys.list(accountId)) {
    const { type, latestVersion, minDecryptionVersion, minEncryptionVersion, minAvailableVersion, versions } =
      await keys.metadata(accountId, name);
    const publicKeys = versions.flatMap(({ version, publicKey }) =>
      publicKey ? [[String(version), publicKey.toString("base64")] as const] : [],
    );
    lines.push({
      ...{ accountId, name, type, latestVersion, minDecryptionVersion, minEncryptionVersion, minAvailableVersion },
      publicKeys: Object.fromEntries(publicKeys),
    });
  }
  return lines;
}
