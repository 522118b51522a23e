import type { TlsFiles } from "./tls-files.ts";

/** Limits and lists of the HTTP door. */
export interface DoorSettings {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Serve HTTPS, and nothing else, with the certificate in these files. */
  readonly tls?: TlsFiles;
  /** Origin under which people reach the door, such as through a proxy: its Host and Origin are answered. */
  readonly publicUrl?: string | undefined;
  /** Lower-case values of Host to answer, with or without a port, beside loopback's names and `host`. */
  readonly allowedHosts: readonly string[];
  /** Lower-case values of Origin to answer, beside the door's own. */
  readonly allowedOrigins: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  /** Calls worked on at a time; more are refused, not queued. */
  readonly maxInFlight: number;
  /** Milliseconds that a client has to send its headers. */
  readonly headersTimeoutMs: number;
  /** Milliseconds that a client has to send a whole request. */
  readonly requestTimeoutMs: number;
  /** Milliseconds that running calls have to finish once the door closes. */
  readonly drainMs: number;
  /** Calls that one principal may make in a minute, whichever process it calls; 0 limits nothing. */
  readonly ratePerPrincipal: number;
  /** Wrong tokens that one address may send in a minute; 0 limits nothing. */
  readonly ratePerAddress: number;
  /** Open sessions of older clients, in all and of one principal. */
  readonly maxSessions: number;
  readonly maxSessionsPerPrincipal: number;
  /** Milliseconds without a request after which a session ends. */
  readonly sessionIdleMs: number;
  /** Milliseconds that a person has to answer a question put to an older client. */
  readonly confirmMs: number;
}

export const DEFAULT_DOOR_SETTINGS: DoorSettings = {
  host: "127.0.0.1",
  port: 0,
  allowedHosts: [],
  allowedOrigins: [],
  maxBodyBytes: 4 << 20,
  maxHeaderBytes: 16 << 10,
  maxConnections: 10_000,
  maxInFlight: 256,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  drainMs: 25_000,
  ratePerPrincipal: 12_000,
  ratePerAddress: 1_200,
  maxSessions: 2000,
  maxSessionsPerPrincipal: 50,
  sessionIdleMs: 30 * 60_000,
  confirmMs: 5 * 60_000,
};
