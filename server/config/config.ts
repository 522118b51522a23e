/** Typed configuration from the environment; secrets are kept apart, so that the rest may be logged as it is. */
import { userInfo } from "node:os";
import { isAbsolute, join, relative, sep } from "node:path";
import { configInvalid, type Env } from "./env.ts";
import type { Secret } from "./secret.ts";
import { type VaultConfig, vaultFrom } from "./vault-config.ts";

export interface Config {
  readonly folders: Folders;
  readonly database: {
    /** `embedded`: the hub runs a PostgreSQL of its own in the data folder. */
    readonly kind: "embedded" | "external";
    readonly poolSize: number;
  };
  readonly server: {
    readonly host: string;
    /** 0 takes any free port. */
    readonly port: number;
    /** Where people reach the hub, without a slash at the end; absent: where it listens. */
    readonly publicUrl: string | undefined;
    /** Lower-case values of Host to answer, beside the hub's own. */
    readonly allowedHosts: readonly string[];
    /** Lower-case values of Origin to answer, beside the hub's own. */
    readonly allowedOrigins: readonly string[];
    readonly maxBodyBytes: number;
    readonly maxInFlight: number;
    /** In a minute; 0 limits nothing. */
    readonly ratePerPrincipal: number;
    readonly ratePerAddress: number;
    /** Absent: plain HTTP. */
    readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
    /** Plain HTTP beyond this machine was asked for. */
    readonly plainHttp: boolean;
    readonly drainSeconds: number;
    /** Without a client, for a hub that a client started; 0 is for ever. */
    readonly idleSeconds: number;
  };
  readonly keys:
    | {
        readonly kind: "embedded";
        /** Of the passphrase that protects the root key file, where one does. */
        readonly passphraseFile: string | undefined;
      }
    | { readonly kind: "vault"; readonly vault: VaultConfig };
  readonly egress: {
    /** Lower-case hosts, each with or without a port, that may have private addresses. */
    readonly allow: readonly string[];
    /** In PEM, in place of the system's authorities. */
    readonly caFile: string | undefined;
  };
  readonly git: {
    /** Absolute paths of folders whose repositories may be read. */
    readonly fileRoots: readonly string[];
    /** For one repository with its history. */
    readonly maxBytes: number;
    /** Where git and ssh are looked for, as PATH has it. */
    readonly searchPath: string;
  };
  readonly log: { readonly level: Env["COUNTERSIGN_LOG_LEVEL"]; readonly format: Env["COUNTERSIGN_LOG_FORMAT"] };
  readonly cli: {
    readonly url: string | undefined;
    /** In PEM, to trust beside Node's own. */
    readonly caFile: string | undefined;
    readonly colours: boolean;
  };
}

/** Absolute paths; prepareFolders makes those of the hub. */
export interface Folders {
  readonly data: string;
  readonly config: string;
  readonly rootKeyFile: string;
  /** The command line's own keys and tokens, mode 0600. */
  readonly cli: string;
}

export interface Secrets {
  /** Under the runtime role. */
  readonly databaseUrl: Secret | undefined;
  /** Under the owner role. */
  readonly migrationUrl: Secret | undefined;
  /** The command line's, in place of the one in its folder. */
  readonly token: Secret | undefined;
}

/** @throws HubError CONFIG_INVALID where the root key would lie with the data it protects. */
export function configFrom(env: Env): Config {
  return {
    folders: foldersFrom(env),
    database: { kind: env.DATABASE_URL ? "external" : "embedded", poolSize: env.COUNTERSIGN_POOL_SIZE },
    server: {
      host: env.COUNTERSIGN_HOST,
      port: env.COUNTERSIGN_PORT,
      publicUrl: env.COUNTERSIGN_PUBLIC_URL?.origin,
      allowedHosts: env.COUNTERSIGN_ALLOWED_HOSTS ?? [],
      allowedOrigins: env.COUNTERSIGN_ALLOWED_ORIGINS ?? [],
      maxBodyBytes: env.COUNTERSIGN_MAX_BODY_BYTES,
      maxInFlight: env.COUNTERSIGN_MAX_IN_FLIGHT,
      ratePerPrincipal: env.COUNTERSIGN_RATE_PER_PRINCIPAL,
      ratePerAddress: env.COUNTERSIGN_RATE_PER_ADDRESS,
      tls: tlsFrom(env),
      plainHttp: env.COUNTERSIGN_PLAIN_HTTP === "1",
      drainSeconds: env.COUNTERSIGN_DRAIN_SECONDS,
      idleSeconds: env.COUNTERSIGN_IDLE_SECONDS,
    },
    keys:
      env.COUNTERSIGN_KEYS === "vault"
        ? { kind: "vault", vault: vaultFrom(env) }
        : { kind: "embedded", passphraseFile: env.COUNTERSIGN_ROOT_PASSPHRASE_FILE },
    egress: { allow: env.COUNTERSIGN_EGRESS_ALLOW ?? [], caFile: env.COUNTERSIGN_EGRESS_CA_FILE },
    git: {
      fileRoots: env.COUNTERSIGN_GIT_FILE_ROOTS ?? [],
      maxBytes: env.COUNTERSIGN_GIT_MAX_MB * 1024 * 1024,
      searchPath: env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    },
    log: { level: env.COUNTERSIGN_LOG_LEVEL, format: env.COUNTERSIGN_LOG_FORMAT },
    cli: { url: env.COUNTERSIGN_URL, caFile: env.COUNTERSIGN_CA_FILE, colours: !env.NO_COLOR },
  };
}

export function secretsFrom(env: Env): Secrets {
  return {
    databaseUrl: env.DATABASE_URL,
    migrationUrl: env.COUNTERSIGN_MIGRATION_URL,
    token: env.COUNTERSIGN_TOKEN,
  };
}

/**
 * Refuses to listen beyond this machine in the clear: every call carries a token.
 * @throws HubError CONFIG_INVALID
 */
export function refusePlainHttp({ host, tls, plainHttp }: Config["server"]): void {
  if (tls || plainHttp || isLoopback(host)) return;
  const sentence = `is ${JSON.stringify(host)}, beyond this machine, and tokens would pass there in the clear: set COUNTERSIGN_TLS_CERT_FILE and COUNTERSIGN_TLS_KEY_FILE, or COUNTERSIGN_PLAIN_HTTP=1 behind a proxy that ends TLS.`;
  throw configInvalid([{ name: "COUNTERSIGN_HOST", sentence }]);
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

function tlsFrom({ COUNTERSIGN_TLS_CERT_FILE: certFile, COUNTERSIGN_TLS_KEY_FILE: keyFile }: Env) {
  return certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined;
}

function foldersFrom(env: Env): Folders {
  // the home is asked for only where it is needed: a service user may have none
  const home = () => env.HOME ?? userInfo().homedir;
  const data = env.COUNTERSIGN_DATA_DIR ?? join(env.XDG_DATA_HOME ?? join(home(), ".local", "share"), "countersign");
  const config = env.COUNTERSIGN_CONFIG_DIR ?? join(env.XDG_CONFIG_HOME ?? join(home(), ".config"), "countersign");
  const rootKeyFile = env.COUNTERSIGN_ROOT_KEY_FILE ?? join(config, "hub", "root.key");
  if (isInside(rootKeyFile, data)) {
    const name = env.COUNTERSIGN_ROOT_KEY_FILE ? "COUNTERSIGN_ROOT_KEY_FILE" : "COUNTERSIGN_CONFIG_DIR";
    const sentence = "puts the root key into the data folder; a copy of that folder would then hold the key to itself.";
    throw configInvalid([{ name, sentence }]);
  }
  return { data, config, rootKeyFile, cli: join(config, "cli") };
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
