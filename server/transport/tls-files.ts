import { X509Certificate } from "node:crypto";
import { type StatWatcher, unwatchFile, watchFile } from "node:fs";
import { open } from "node:fs/promises";
import { isIP } from "node:net";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { Logger } from "../config/log.ts";
import { HubError } from "../errors.ts";

/** Where the certificate chain and its key lie, in PEM. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsFilesOptions {
  readonly log: Logger;
  /** Milliseconds between two looks at the files. Looking also sees what a mount or a link swaps, where events do not. */
  readonly lookEveryMs?: number;
}

/** What has a TLS server use a certificate; connections that are open keep theirs. */
export interface TlsServer {
  setSecureContext(options: SecureContextOptions): void;
}

/** A certificate of more than this is none. */
const LONGEST_FILE = 1 << 20;

/**
 * The certificate of the door. It is read again when a file changes or somebody says so; what cannot be used then is
 * logged, and the one in use stays.
 */
export class TlsCertificate implements Disposable {
  readonly #files: TlsFiles;
  readonly #log: Logger;
  readonly #lookEveryMs: number;
  #options: SecureContextOptions;
  #server: TlsServer | undefined;
  #reading: Promise<unknown> = Promise.resolve();

  private constructor(files: TlsFiles, { log, lookEveryMs = 5000 }: TlsFilesOptions, read: SecureContextOptions) {
    this.#files = files;
    this.#log = log;
    this.#lookEveryMs = lookEveryMs;
    this.#options = read;
  }

  /** Throws CONFIG_INVALID where the files cannot be used. */
  static async open(files: TlsFiles, options: TlsFilesOptions): Promise<TlsCertificate> {
    return new TlsCertificate(files, options, await readTls(files));
  }

  /** What the server begins with. */
  get options(): SecureContextOptions {
    return this.#options;
  }

  /** From now on the server has what is in the files. */
  follow(server: TlsServer): void {
    this.#server = server;
    for (const path of this.#paths()) this.#watch(path).unref();
  }

  /** The first of these hosts that the certificate is for; undefined where it is for none. */
  nameAmong(hosts: readonly string[]): string | undefined {
    const certificate = new X509Certificate(String(this.#options.cert));
    return hosts.find((host) => {
      const bare = host.replace(/^\[|\]$/g, "");
      return (isIP(bare) ? certificate.checkIP(bare) : certificate.checkHost(bare)) !== undefined;
    });
  }

  /** Reads the files again, one reading after the other. Answers whether they could be used. */
  reload(): Promise<boolean> {
    const reloaded = this.#reading.then(() => this.#reload());
    this.#reading = reloaded;
    return reloaded;
  }

  [Symbol.dispose](): void {
    if (this.#server) for (const path of this.#paths()) unwatchFile(path, this.#changed);
    this.#server = undefined;
  }

  readonly #changed = (): void => void this.reload();

  #watch(path: string): StatWatcher {
    return watchFile(path, { persistent: false, interval: this.#lookEveryMs }, this.#changed);
  }

  #paths(): readonly string[] {
    return [this.#files.certFile, this.#files.keyFile];
  }

  async #reload(): Promise<boolean> {
    try {
      const read = await readTls(this.#files);
      if (read.cert === this.#options.cert && read.key === this.#options.key) return true;
      this.#server?.setSecureContext(read);
      this.#options = read;
      const { subject, validTo } = new X509Certificate(String(read.cert));
      this.#log.info({ subject, validTo }, "a new TLS certificate is in use");
      return true;
    } catch (error) {
      // certificate and key change one after the other: the second change mends what the first one broke
      this.#log.error({ err: error }, "the TLS files cannot be used; the certificate from before stays in use");
      return false;
    }
  }
}

/** TLS 1.2 at least; 1.3 is taken wherever the client has it. Throws CONFIG_INVALID. */
async function readTls({ certFile, keyFile }: TlsFiles): Promise<SecureContextOptions> {
  const options = {
    cert: await readPem(certFile, "COUNTERSIGN_TLS_CERT_FILE"),
    key: await readPem(keyFile, "COUNTERSIGN_TLS_KEY_FILE", { secret: true }),
    minVersion: "TLSv1.2",
  } as const;
  try {
    createSecureContext(options);
  } catch (cause) {
    // OpenSSL's reason alone: its sentence does not quote the files
    const reason = (cause as { reason?: string }).reason ?? "they cannot be read";
    throw invalid(
      "COUNTERSIGN_TLS_CERT_FILE",
      `${certFile} and ${keyFile} are no certificate with its key: ${reason}`,
      cause,
    );
  }
  return options;
}

async function readPem(path: string, variable: string, { secret = false } = {}): Promise<string> {
  try {
    await using file = await open(path, "r");
    // the open file is checked, so that no other can take its place between the check and the reading
    const { mode, size } = await file.stat();
    if (secret && (mode & 0o077) !== 0)
      throw invalid(
        variable,
        `${path} can be read by other users (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${path}`,
      );
    if (size > LONGEST_FILE) throw invalid(variable, `${path} is too large for a PEM file`);
    return await file.readFile("latin1");
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    throw invalid(
      variable,
      `${path} cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown reason"})`,
      cause,
    );
  }
}

function invalid(variable: string, sentence: string, cause?: unknown): HubError {
  return new HubError("CONFIG_INVALID", `TLS cannot be served: ${sentence}.`, { path: variable, cause });
}
