import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { HubError } from "../server/errors.ts";

/** Which hub this folder belongs to. The root key is pinned when the account is made or joined. */
const hubFile = z.strictObject({ url: z.url(), accountId: z.string(), rootKey: z.string().optional() });
export type HubFile = z.output<typeof hubFile>;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/**
 * The command line's own folder: which hub, the tokens, the person's signing key. Files are 0600 in a 0700 folder; one
 * that others can read is refused, since what it opens is not ours alone any more.
 */
export class CliFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  hub(): HubFile | undefined {
    const text = this.#read("hub.json");
    if (text === undefined) return undefined;
    try {
      return hubFile.parse(JSON.parse(text));
    } catch (cause) {
      throw new HubError("CONFIG_INVALID", `${this.#file("hub.json")} is not as this command line writes it.`, {
        cause,
      });
    }
  }

  saveHub(hub: HubFile): void {
    this.#write("hub.json", `${JSON.stringify(hub, null, 2)}\n`);
  }

  token(name: string): string | undefined {
    return this.#read(`${checked(name)}.token`)?.trim();
  }

  saveToken(name: string, token: string): void {
    this.#write(`${checked(name)}.token`, `${token}\n`);
  }

  /** Names of the tokens kept here. */
  tokens(): string[] {
    if (!existsSync(this.path)) return [];
    return readdirSync(this.path)
      .filter((file) => file.endsWith(".token"))
      .map((file) => file.slice(0, -".token".length))
      .sort();
  }

  /** The person's Ed25519 signing key; the hub knows its public half alone. */
  signingKey(): { privateKey: KeyObject; publicKey: KeyObject } | undefined {
    const pem = this.#read("signing-key.pem");
    if (pem === undefined) return undefined;
    try {
      const privateKey = createPrivateKey(pem);
      return { privateKey, publicKey: createPublicKey(privateKey) };
    } catch (cause) {
      throw new HubError("CONFIG_INVALID", `${this.#file("signing-key.pem")} holds no private key.`, { cause });
    }
  }

  saveSigningKey(privateKey: KeyObject): void {
    if (existsSync(this.#file("signing-key.pem")))
      throw new HubError(
        "ALREADY_EXISTS",
        `${this.#file("signing-key.pem")} exists already: move it away, or set COUNTERSIGN_CONFIG_DIR to another folder.`,
      );
    this.#write("signing-key.pem", privateKey.export({ type: "pkcs8", format: "pem" }) as string);
  }

  #file(name: string): string {
    return join(this.path, name);
  }

  #read(name: string): string | undefined {
    const file = this.#file(name);
    try {
      if (!existsSync(file)) return undefined;
      if ((statSync(file).mode & 0o077) !== 0)
        throw new HubError(
          "CONFIG_INVALID",
          `Others can read ${file}. If nobody did: chmod 600 '${file}'; else replace what is in it.`,
        );
      return readFileSync(file, "utf8");
    } catch (cause) {
      if (cause instanceof HubError) throw cause;
      const { code } = cause as NodeJS.ErrnoException;
      throw new HubError("CONFIG_INVALID", `${file} cannot be read (${code}).`, { cause });
    }
  }

  /** Whole or not at all: written beside, then renamed. */
  #write(name: string, text: string): void {
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      chmodSync(this.path, 0o700);
      const beside = `${this.#file(name)}.${process.pid}`;
      writeFileSync(beside, text, { mode: 0o600 });
      renameSync(beside, this.#file(name));
    } catch (cause) {
      throw new HubError(
        "DATA_FOLDER_UNUSABLE",
        `${this.path} cannot be written (${(cause as NodeJS.ErrnoException).code}): set COUNTERSIGN_CONFIG_DIR (keys and tokens), and for a hub COUNTERSIGN_DATA_DIR (data), to folders that this user may write to.`,
        { cause, details: { folder: this.path } },
      );
    }
  }
}

function checked(name: string): string {
  if (!NAME.test(name))
    throw new HubError("INPUT_INVALID", "A token's name has lower case letters, digits and dashes.", { path: "name" });
  return name;
}
