/**
 * For tests: the transit engine as OpenBao's source has it, text by text (`builtin/logical/transit/` and
 * `sdk/helper/keysutil/policy.go` of OpenBao 2; the file is named at each rule). HashiCorp's Vault, which it was forked from,
 * behaves the same in these. Nothing here is taken from the adapter that it tests.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";

export interface EngineAnswer {
  readonly status: number;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly string[];
  readonly warnings?: readonly string[];
}

type Input = Readonly<Record<string, unknown>>;

interface Version {
  readonly secret: Buffer;
  readonly pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject } | undefined;
  readonly createdAt: Date;
}

interface Key {
  readonly name: string;
  readonly type: string;
  readonly derived: boolean;
  latest: number;
  minDecryption: number;
  minEncryption: number;
  minAvailable: number;
  deletionAllowed: boolean;
  readonly versions: Map<number, Version>;
}

/** The user's mistake (errutil.UserError, logical.ErrInvalidRequest), as opposed to a fault of the server. */
class UserError extends Error {}

const TOO_OLD = "ciphertext or signature version is disallowed by policy (too old)";
const SYMMETRIC = ["aes256-gcm96", "chacha20-poly1305"];
const SIGNING = ["ed25519", "ecdsa-p256"];
const TYPES = [...SYMMETRIC, ...SIGNING, "hmac"];

export class TransitEngine {
  readonly #keys = new Map<string, Key>();

  /** Whether what is asked for takes the capability `create`: the existence check of path_encrypt.go, the engine's only one. */
  creates(path: string): boolean {
    const [verb, name = ""] = path.split("/");
    return verb === "encrypt" && !this.#keys.has(name);
  }

  handle(method: string, path: string, input: Input): EngineAnswer {
    const [verb = "", name = "", action = ""] = path.split("/");
    try {
      if (verb === "keys" && name === "") return this.#list(method);
      if (verb === "keys" && action === "") return this.#keyCall(method, name, input);
      if (method !== "POST" && method !== "PUT") return refused(405, "unsupported operation");
      if (verb === "keys" && action === "rotate") return this.#rotate(name);
      if (verb === "keys" && action === "config") return this.#configure(name, input);
      if (verb === "keys" && action === "trim") return this.#trim(name, input);
      if (verb === "encrypt") return this.#encrypt(name, input);
      if (verb === "decrypt") return this.#decrypt(name, input);
      if (verb === "rewrap") return this.#rewrap(name, input);
      if (verb === "hmac") return this.#hmac(name, input);
      if (verb === "sign") return this.#sign(name, input);
      if (verb === "verify") return this.#verify(name, input);
      if (verb === "datakey" && name === "plaintext") return this.#dataKey(action, input);
      return refused(404, "unsupported path");
    } catch (error) {
      if (error instanceof UserError) return refused(400, error.message);
      throw error;
    }
  }

  // path_keys.go

  #list(method: string): EngineAnswer {
    if (method !== "LIST") return refused(405, "unsupported operation");
    const keys = [...this.#keys.keys()].sort();
    return keys.length === 0 ? { status: 404, errors: [] } : { status: 200, data: { keys } };
  }

  #keyCall(method: string, name: string, input: Input): EngineAnswer {
    if (method === "GET") {
      const key = this.#keys.get(name);
      return key === undefined ? { status: 404, errors: [] } : { status: 200, data: formatted(key) };
    }
    if (method === "DELETE") return this.#delete(name);
    const type = textOf(input["type"]) || "aes256-gcm96";
    if (!TYPES.includes(type)) return refused(400, `unknown key type ${type}`);
    const size = Number(input["key_size"] ?? 0);
    if (size !== 0 && type !== "hmac") return refused(400, `key_size is not valid for algorithm ${type}`);
    if (size !== 0 && (size < 32 || size > 512)) return refused(400, `invalid key_size ${size}`);
    const existing = this.#keys.get(name);
    if (existing !== undefined) {
      return { status: 200, data: formatted(existing), warnings: [`key ${name} already existed`] };
    }
    // lock_manager.go and RotateInMemory of policy.go: faults of the server, not of the request
    if (input["derived"] === true && !SYMMETRIC.includes(type) && type !== "ed25519") {
      return refused(500, `key derivation and convergent encryption not supported for keys of type ${type}`);
    }
    if (type === "hmac" && size === 0) {
      return refused(500, "invalid key size for HMAC key, must be between 32 and 512 bytes");
    }
    return { status: 200, data: formatted(this.#make(name, type, input["derived"] === true)) };
  }

  #make(name: string, type: string, derived: boolean): Key {
    const rules = { latest: 0, minDecryption: 1, minEncryption: 0, minAvailable: 0, deletionAllowed: false };
    const key: Key = { name, type, derived, ...rules, versions: new Map() };
    addVersion(key);
    this.#keys.set(name, key);
    return key;
  }

  /** lock_manager.go, DeletePolicy; the error goes with a response, which makes it a 400. */
  #delete(name: string): EngineAnswer {
    const key = this.#keys.get(name);
    if (key === undefined) return refused(400, `error deleting policy ${name}: could not delete key; not found`);
    if (!key.deletionAllowed)
      return refused(400, `error deleting policy ${name}: deletion is not allowed for this key`);
    this.#keys.delete(name);
    return { status: 204 };
  }

  // path_rotate.go
  #rotate(name: string): EngineAnswer {
    const key = this.#keys.get(name);
    if (key === undefined) return refused(400, "key not found");
    addVersion(key);
    return { status: 200, data: formatted(key) };
  }

  // path_keys_config.go
  #configure(name: string, input: Input): EngineAnswer {
    const key = this.#keys.get(name);
    if (key === undefined) return refused(400, `no existing key named ${name} could be found`);
    let decryption = Number(input["min_decryption_version"] ?? key.minDecryption);
    const encryption = Number(input["min_encryption_version"] ?? key.minEncryption);
    if (decryption < 0) return refused(400, "min decryption version cannot be negative");
    if (decryption === 0) decryption = 1;
    if (decryption > key.latest) {
      return refused(400, `cannot set min decryption version of ${decryption}, latest key version is ${key.latest}`);
    }
    if (encryption < 0) return refused(400, "min encryption version cannot be negative");
    if (encryption > key.latest) {
      return refused(400, `cannot set min encryption version of ${encryption}, latest key version is ${key.latest}`);
    }
    if (encryption > 0 && encryption < decryption) {
      return refused(
        400,
        `cannot set min encryption/decryption values; min encryption version of ${encryption} must be greater than or equal to min decryption version of ${decryption}`,
      );
    }
    if (key.minAvailable > encryption) {
      return refused(400, "min encryption version should not be less than min available version");
    }
    if (key.minAvailable > decryption) {
      return refused(400, "min decryption version should not be less then min available version");
    }
    key.minDecryption = decryption;
    key.minEncryption = encryption;
    if (input["deletion_allowed"] !== undefined) key.deletionAllowed = input["deletion_allowed"] === true;
    return { status: 200, data: formatted(key) };
  }

  // path_trim.go
  #trim(name: string, input: Input): EngineAnswer {
    const key = this.#keys.get(name);
    if (key === undefined) return refused(400, "invalid key name");
    if (input["min_available_version"] === undefined) return refused(400, "missing min_available_version");
    const available = Number(input["min_available_version"]);
    if (available < key.minAvailable) return refused(400, "minimum available version cannot be decremented");
    if (key.minEncryption === 0) {
      return refused(400, "minimum available version cannot be set when minimum encryption version is not set");
    }
    if (available > key.minEncryption) {
      return refused(400, "minimum available version cannot be greater than minmum encryption version");
    }
    if (available > key.minDecryption) {
      return refused(400, "minimum available version cannot be greater than minimum decryption version");
    }
    if (available < 0) return refused(400, "minimum available version cannot be negative");
    if (available === 0) return refused(400, "minimum available version should be positive");
    key.minAvailable = available;
    for (const version of key.versions.keys()) if (version < available) key.versions.delete(version);
    return { status: 200, data: formatted(key) };
  }

  // path_encrypt.go: a key that is not there is made; bad items give the whole answer the status 400, with its data
  #encrypt(name: string, input: Input): EngineAnswer {
    const { items, batch } = itemsOf(input, "plaintext", "missing plaintext to encrypt");
    requireOneKindOfContext(items);
    if (!this.#keys.has(name)) {
      const type = textOf(input["type"]) || "aes256-gcm96";
      if (SIGNING.includes(type)) return refused(400, `key type ${type} not supported for this operation`);
      if (!SYMMETRIC.includes(type)) return refused(400, `unknown key type ${type}`);
      this.#make(name, type, items[0]?.["context"] !== undefined);
    }
    const key = this.#keys.get(name) as Key;
    const results = items.map((item) =>
      attempt(() => {
        const bytes = decoded(item["plaintext"], "plaintext");
        const ciphertext = encrypt(
          key,
          bytes,
          contextOf(item),
          decoded(item["associated_data"] ?? "", "associated data"),
        );
        return { ciphertext, key_version: key.latest };
      }),
    );
    return this.#results(results, batch, 400);
  }

  // path_decrypt.go: as path_encrypt.go
  #decrypt(name: string, input: Input): EngineAnswer {
    const { items, batch } = itemsOf(input, "ciphertext", "missing ciphertext to decrypt");
    requireOneKindOfContext(items);
    const key = this.#found(name);
    const results = items.map((item) =>
      attempt(() => {
        const associatedData = decoded(item["associated_data"] ?? "", "associated data");
        return {
          plaintext: decrypt(key, textOf(item["ciphertext"]), contextOf(item), associatedData).toString("base64"),
        };
      }),
    );
    return this.#results(results, batch, 400);
  }

  // path_rewrap.go: bad items leave the status at 200; associated data is not looked at
  #rewrap(name: string, input: Input): EngineAnswer {
    const { items, batch } = itemsOf(input, "ciphertext", "missing ciphertext to decrypt");
    requireOneKindOfContext(items);
    const key = this.#found(name);
    const results = items.map((item) =>
      attempt(() => {
        const plaintext = decrypt(key, textOf(item["ciphertext"]), contextOf(item), Buffer.alloc(0));
        return { ciphertext: encrypt(key, plaintext, contextOf(item), Buffer.alloc(0)), key_version: key.latest };
      }),
    );
    return this.#results(results, batch, 200);
  }

  // path_datakey.go
  #dataKey(name: string, input: Input): EngineAnswer {
    const key = this.#found(name);
    const bits = Number(input["bits"] ?? 256);
    if (![128, 256, 512].includes(bits)) return refused(400, "invalid bit length");
    const plaintext = randomBytes(bits / 8);
    const ciphertext = encrypt(key, plaintext, contextOf(input), Buffer.alloc(0));
    return { status: 200, data: { plaintext: plaintext.toString("base64"), ciphertext, key_version: key.latest } };
  }

  // path_hmac.go: also of keys that encrypt or sign, which have a second secret for that
  #hmac(name: string, input: Input): EngineAnswer {
    const key = this.#found(name);
    const asked = Number(input["key_version"] ?? 0);
    const version = asked === 0 ? key.latest : asked;
    if (version !== key.latest && key.minEncryption > 0 && version < key.minEncryption) {
      return refused(400, "cannot generate HMAC: version is too old (disallowed by policy)");
    }
    const mac = hmacOf(key, version, decoded(input["input"], "input"));
    return { status: 200, data: { hmac: `vault:v${version}:${mac.toString("base64")}` } };
  }

  // path_sign_verify.go and SignWithOptions of policy.go
  #sign(name: string, input: Input): EngineAnswer {
    const key = this.#keys.get(name);
    if (key === undefined) return refused(400, "signing key not found");
    if (!SIGNING.includes(key.type)) return refused(400, `key type ${key.type} does not support signing`);
    const { pair } = versionOf(key, key.latest);
    const message = decoded(input["input"] ?? "", "input");
    const signature = sign(digestOf(key), message, (pair as { privateKey: KeyObject }).privateKey);
    return {
      status: 200,
      data: { signature: `vault:v${key.latest}:${signature.toString("base64")}`, key_version: key.latest },
    };
  }

  #verify(name: string, input: Input): EngineAnswer {
    if (input["signature"] === undefined && input["hmac"] === undefined) {
      return refused(400, "neither a 'signature' nor an 'hmac' were given to verify");
    }
    if (input["hmac"] !== undefined) return this.#verifyHmac(name, input);
    const key = this.#keys.get(name);
    if (key === undefined) return refused(400, "signature verification key not found");
    if (!SIGNING.includes(key.type)) return refused(400, `key type ${key.type} does not support verification`);
    const { version, text } = versioned(
      textOf(input["signature"]),
      "invalid signature",
      "invalid signature: no prefix",
    );
    if (version > key.latest) return refused(400, "invalid signature: version is too new");
    if (version < key.minDecryption) return refused(400, TOO_OLD);
    const signature = base64(text, "invalid base64 signature value");
    if (key.type === "ecdsa-p256" && signature[0] !== 0x30) return refused(400, "supplied signature is invalid");
    const { pair } = versionOf(key, version);
    const message = decoded(input["input"] ?? "", "input");
    const valid = verify(digestOf(key), message, (pair as { publicKey: KeyObject }).publicKey, signature);
    return { status: 200, data: { valid } };
  }

  #verifyHmac(name: string, input: Input): EngineAnswer {
    const key = this.#found(name);
    const { version, text } = versioned(textOf(input["hmac"]), "invalid HMAC", "invalid HMAC to verify: no prefix");
    const given = base64(text, "unable to decode verification HMAC as base64: illegal base64 data at input byte 0");
    if (version > key.latest) return refused(400, "invalid HMAC: version is too new");
    if (version < key.minDecryption)
      return refused(400, "cannot verify HMAC: version is too old (disallowed by policy)");
    const mac = hmacOf(key, version, decoded(input["input"] ?? "", "input"));
    return { status: 200, data: { valid: mac.length === given.length && timingSafeEqual(mac, given) } };
  }

  #found(name: string): Key {
    const key = this.#keys.get(name);
    if (key === undefined) throw new UserError("encryption key not found");
    return key;
  }

  #results(results: readonly Input[], batch: boolean, statusOfFaults: number): EngineAnswer {
    const faults = results.some(({ error }) => error !== undefined);
    if (batch) return { status: faults ? statusOfFaults : 200, data: { batch_results: results } };
    const [only = {}] = results;
    return faults ? refused(400, textOf(only["error"])) : { status: 200, data: only };
  }
}

const textOf = (value: unknown) => (typeof value === "string" ? value : "");

function refused(status: number, text: string): EngineAnswer {
  return { status, errors: [text] };
}

/** formatKeyPolicy of path_keys.go: versions from the least that decrypts on; keys for hashes are shown without any. */
function formatted(key: Key): Record<string, unknown> {
  const shown = [...key.versions].filter(([version]) => version >= key.minDecryption);
  const keys = SYMMETRIC.includes(key.type)
    ? Object.fromEntries(shown.map(([version, { createdAt }]) => [version, Math.floor(createdAt.getTime() / 1000)]))
    : Object.fromEntries(
        shown.map(([version, { createdAt, pair }]) => [
          version,
          {
            certificate_chain: "",
            creation_time: createdAt.toISOString().replace("Z", "123456Z"),
            name: key.type === "ed25519" ? "ed25519" : "P-256",
            public_key: pair && shownPublic(key.type, pair.publicKey),
          },
        ]),
      );
  return {
    allow_plaintext_backup: false,
    auto_rotate_period: 0,
    deletion_allowed: key.deletionAllowed,
    derived: key.derived,
    ...(key.derived && { kdf: "hkdf_sha256", convergent_encryption: false }),
    exportable: false,
    imported_key: false,
    ...(key.type === "hmac" ? { key_size: 32 } : { keys }),
    latest_version: key.latest,
    min_available_version: key.minAvailable,
    min_decryption_version: key.minDecryption,
    min_encryption_version: key.minEncryption,
    name: key.name,
    soft_deleted: false,
    supports_decryption: SYMMETRIC.includes(key.type),
    supports_derivation: SYMMETRIC.includes(key.type) || key.type === "ed25519",
    supports_encryption: SYMMETRIC.includes(key.type),
    supports_signing: SIGNING.includes(key.type),
    type: key.type,
  };
}

/** policy.go: the 32 bytes of Ed25519 in Base 64, PEM of ECDSA. */
function shownPublic(type: string, publicKey: KeyObject): string {
  if (type === "ed25519") return publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
  return publicKey.export({ format: "pem", type: "spki" }) as string;
}

function addVersion(key: Key): void {
  key.latest++;
  const pair =
    key.type === "ed25519"
      ? generateKeyPairSync("ed25519")
      : key.type === "ecdsa-p256"
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : undefined;
  key.versions.set(key.latest, { secret: randomBytes(32), pair: pair && reread(pair), createdAt: new Date() });
}

/** One type of pair for both algorithms. */
function reread({ privateKey }: { privateKey: KeyObject }) {
  const own = createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" }));
  return { privateKey: own, publicKey: createPublicKey(own) };
}

/** safeGetKeyEntry of policy.go: versions below the least that decrypts are in the archive, out of reach. */
function versionOf(key: Key, version: number): Version {
  const found = version < key.minDecryption ? undefined : key.versions.get(version);
  if (found === undefined) throw new UserError("no such key version");
  return found;
}

/** HMACKey of policy.go. */
function hmacOf(key: Key, version: number, input: Buffer): Buffer {
  if (version < 0) throw new UserError("key version does not exist (cannot be negative)");
  if (version > key.latest) throw new UserError(`key version does not exist; latest key version is ${key.latest}`);
  const { secret } = versionOf(key, version);
  const own = key.type === "hmac" ? secret : createHash("sha256").update("second").update(secret).digest();
  return createHmac("sha256", own).update(input).digest();
}

const digestOf = ({ type }: Key) => (type === "ed25519" ? null : "sha256");

/** EncryptWithFactory of policy.go: the latest version. */
function encrypt(key: Key, plaintext: Buffer, context: Buffer, associatedData: Buffer): string {
  if (!SYMMETRIC.includes(key.type)) throw new UserError(`message encryption not supported for key type ${key.type}`);
  const nonce = randomBytes(12);
  const cipher = createCipheriv(cipherOf(key), secretOf(key, key.latest, context), nonce, { authTagLength: 16 });
  cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
  const bytes = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return `vault:v${key.latest}:${bytes.toString("base64")}`;
}

/** DecryptWithFactory of policy.go. */
function decrypt(key: Key, ciphertext: string, context: Buffer, associatedData: Buffer): Buffer {
  if (ciphertext === "") throw new UserError("missing ciphertext to decrypt");
  if (!SYMMETRIC.includes(key.type)) throw new UserError(`message decryption not supported for key type ${key.type}`);
  const { version: given, text } = versioned(ciphertext, "invalid ciphertext", "invalid ciphertext: no prefix");
  const version = given === 0 ? 1 : given; // from when versions began at zero
  if (version > key.latest) throw new UserError("invalid ciphertext: version is too new");
  if (version < key.minDecryption) throw new UserError(TOO_OLD);
  const bytes = base64(text, "invalid ciphertext: could not decode base64");
  const secret = secretOf(key, version, context);
  if (bytes.length < 12) throw new UserError("invalid ciphertext length");
  const failed = `${key.type === "chacha20-poly1305" ? "chacha20poly1305" : "cipher"}: message authentication failed`;
  if (bytes.length < 28) throw new UserError(failed);
  const decipher = createDecipheriv(cipherOf(key), secret, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(associatedData, { plaintextLength: bytes.length - 28 });
  decipher.setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
  } catch {
    throw new UserError(failed);
  }
}

const cipherOf = ({ type }: Key) =>
  (type === "chacha20-poly1305" ? "chacha20-poly1305" : "aes-256-gcm") as "aes-256-gcm";

/** GetKey and DeriveKey of policy.go: a key that is not derived ignores the context. */
function secretOf(key: Key, version: number, context: Buffer): Buffer {
  const { secret } = versionOf(key, version);
  if (!key.derived) return secret;
  if (context.length === 0) {
    throw new UserError(
      "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request information must be included in order to perform operations with the key",
    );
  }
  return Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), context, 32));
}

function versioned(value: string, what: string, noPrefix: string): { version: number; text: string } {
  if (!value.startsWith("vault:v")) throw new UserError(noPrefix);
  const [number = "", ...rest] = value.slice("vault:v".length).split(":");
  if (rest.length === 0) throw new UserError(`${what}: wrong number of fields`);
  // strconv.Atoi: signs and leading zeros are fine, what overflows is not
  if (!/^[+-]?\d{1,18}$/.test(number)) throw new UserError(`${what}: version number could not be decoded`);
  return { version: Number(number), text: rest.join(":") };
}

/** encoding/base64: line breaks are skipped. */
function base64(text: string, fault: string): Buffer {
  const packed = text.replace(/[\r\n]/g, "");
  const bytes = Buffer.from(packed, "base64");
  if (bytes.toString("base64") !== packed) throw new UserError(fault);
  return bytes;
}

function decoded(value: unknown, what: string): Buffer {
  if (typeof value !== "string") throw new UserError(`missing ${what}`);
  return base64(value, "illegal base64 data at input byte 0");
}

function contextOf(item: Input): Buffer {
  return decoded(item["context"] ?? "", "context");
}

function itemsOf(input: Input, field: string, fault: string): { items: readonly Input[]; batch: boolean } {
  const batch = input["batch_input"];
  if (batch === undefined) {
    if (input[field] === undefined || (field === "ciphertext" && input[field] === "")) throw new UserError(fault);
    return { items: [input], batch: false };
  }
  if (!Array.isArray(batch) || batch.length === 0) throw new UserError("missing batch input to process");
  return { items: batch as Input[], batch: true };
}

function requireOneKindOfContext(items: readonly Input[]): void {
  const has = (item: Input) => (item["context"] ?? "") !== "";
  if (new Set(items.map(has)).size > 1) {
    throw new UserError("context should be set either in all the request blocks or in none");
  }
}

function attempt(one: () => Input): Input {
  try {
    return { ...one(), reference: "" };
  } catch (error) {
    if (error instanceof UserError) return { error: error.message, reference: "" };
    throw error;
  }
}
