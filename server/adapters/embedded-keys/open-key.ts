import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { versionTooOld } from "../../domain/keys/ciphertext.ts";
import type { KeyMetadata, KeyName } from "../../domain/keys/key-service.ts";
import type { KeyKind } from "../../domain/keys/key-types.ts";
import type { StoredRules } from "./key-store.ts";
import type { Aead } from "./sealed-bytes.ts";
import { type OpenKeyVersion, spkiOf } from "./wrapped-key.ts";

const SECRET_LENGTH = 32;
const NO_SALT = Buffer.alloc(0);

/** A key with its secrets, in memory: which version does what. Those that were trimmed are not there. */
export class OpenKey implements KeyKind {
  readonly name: KeyName;
  readonly rules: StoredRules;
  readonly #versions: readonly OpenKeyVersion[];

  /** @param versions oldest first, at least one */
  constructor(name: KeyName, rules: StoredRules, versions: readonly OpenKeyVersion[]) {
    this.name = name;
    this.rules = rules;
    this.#versions = versions;
  }

  get type() {
    return this.latest.type;
  }

  get derived() {
    return this.rules.derived;
  }

  get latest(): OpenKeyVersion {
    const latest = this.#versions.at(-1);
    if (latest === undefined) throw new Error("cannot happen: an open key without versions");
    return latest;
  }

  /**
   * The version that opens or verifies what names it; undefined where the key never had it.
   * @throws HubError KEY_VERSION_TOO_OLD below the least version that decrypts, or where it was destroyed
   */
  opening(version: number): OpenKeyVersion | undefined {
    const found = this.#versions.find((candidate) => candidate.version === version);
    const oldest = Math.max(this.rules.minDecryptionVersion, this.#versions[0]?.version ?? 1);
    if (version >= 1 && version < oldest) throw versionTooOld(this.name, version, oldest);
    return found;
  }

  /**
   * The version that makes a hash.
   * @throws HubError KEY_VERSION_TOO_OLD also below the least version that encrypts
   */
  making(version: number): OpenKeyVersion | undefined {
    const { minEncryptionVersion } = this.rules;
    if (version >= 1 && version < minEncryptionVersion) throw versionTooOld(this.name, version, minEncryptionVersion);
    return this.opening(version);
  }

  /** The secret for a context (RFC 5869 with SHA-256, no salt, the context as info), as transit engines derive it. */
  secretFor({ secret }: OpenKeyVersion, context: Uint8Array | undefined): KeyObject {
    if (context === undefined || !this.derived) return secret;
    return createSecretKey(Buffer.from(hkdfSync("sha256", secret, NO_SALT, context, SECRET_LENGTH)));
  }

  get aead(): Aead {
    return this.type === "chacha20-poly1305" ? "chacha20-poly1305" : "aes-256-gcm";
  }

  metadata(): KeyMetadata {
    const { minDecryptionVersion } = this.rules;
    return {
      name: this.name,
      type: this.type,
      ...this.rules,
      latestVersion: this.latest.version,
      versions: this.#versions
        .filter(({ version }) => version >= minDecryptionVersion)
        .map(({ version, type, createdAt, publicKey }) => ({
          version,
          createdAt,
          ...(publicKey !== undefined && { publicKey: spkiOf(type, publicKey) }),
        })),
    };
  }
}
