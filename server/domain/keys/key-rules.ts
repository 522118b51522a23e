import { HubError } from "../../errors.ts";
import type { KeyMetadata, KeyRules } from "./key-service.ts";

type Standing = Omit<KeyMetadata, "name" | "type" | "derived" | "versions">;

/**
 * The rules of a key after a change, as the transit engine judges it (OpenBao, `builtin/logical/transit/path_keys_config.go`).
 * @throws HubError CONFLICT
 */
export function changedRules(standing: Standing, change: Partial<KeyRules>): KeyRules {
  const rules = {
    minDecryptionVersion: change.minDecryptionVersion ?? standing.minDecryptionVersion,
    minEncryptionVersion: change.minEncryptionVersion ?? standing.minEncryptionVersion,
    deletionAllowed: change.deletionAllowed ?? standing.deletionAllowed,
  };
  const { minDecryptionVersion: decryption, minEncryptionVersion: encryption } = rules;
  const { latestVersion: latest, minAvailableVersion: available } = standing;
  if (!isWhole(decryption, 1) || !isWhole(encryption, 0)) throw conflict("The least versions are whole numbers.");
  if (decryption > latest || encryption > latest) throw conflict(`The latest version is ${latest}.`, { latest });
  if (encryption > 0 && encryption < decryption) {
    throw conflict("What encrypts has to decrypt too: the least version for encryption is below that for decryption.");
  }
  const changes = decryption !== standing.minDecryptionVersion || encryption !== standing.minEncryptionVersion;
  if (changes && (available > encryption || available > decryption)) {
    throw conflict(`Versions below ${available} are gone.`, { available });
  }
  return rules;
}

/**
 * Whether versions below this one may be destroyed (OpenBao, `builtin/logical/transit/path_trim.go`).
 * @throws HubError CONFLICT
 */
export function requireTrimmable(standing: Standing, minAvailableVersion: number): void {
  const { minAvailableVersion: before, minEncryptionVersion, minDecryptionVersion } = standing;
  if (!isWhole(minAvailableVersion, 1)) throw conflict("The least available version is a whole number from 1.");
  if (minAvailableVersion < before) throw conflict(`Versions below ${before} are gone already.`, { available: before });
  if (minEncryptionVersion === 0) throw conflict("Set the least version for encryption first.");
  if (minAvailableVersion > minEncryptionVersion || minAvailableVersion > minDecryptionVersion) {
    const details = { minEncryptionVersion, minDecryptionVersion };
    throw conflict("A version that may still be used is not destroyed: raise both least versions first.", details);
  }
}

/** @throws HubError CONFLICT */
export function requireDeletable({ deletionAllowed }: Standing): void {
  if (!deletionAllowed) throw conflict("The rules of this key do not allow to delete it.");
}

const isWhole = (value: number, least: number) => Number.isSafeInteger(value) && value >= least;

function conflict(sentence: string, details?: Readonly<Record<string, unknown>>): HubError {
  return new HubError("CONFLICT", sentence, details && { details });
}
