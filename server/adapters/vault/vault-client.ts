import { setTimeout as sleep } from "node:timers/promises";
import { HubError } from "../../errors.ts";
import type { Egress } from "../egress/egress.ts";
import { type BreakerOptions, CircuitBreaker } from "./circuit-breaker.ts";
import { isDown, isLasting, refusalOf } from "./refusals.ts";
import { openVaultTransport, type VaultTransport } from "./vault-request.ts";
import type { VaultSettings } from "./vault-settings.ts";
import { type TokenOptions, VaultToken } from "./vault-token.ts";

export interface VaultClientOptions extends TokenOptions {
  readonly egress: Egress;
  readonly breaker?: BreakerOptions;
  /** Waits between two tries. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

/** Of node-vault, what is used. Its helpers are not: they post the options they are given, and name the mount `transit`. */
interface NodeVault {
  token: string;
  namespace: string;
  pathPrefix: string;
  read(path: string): Promise<unknown>;
  list(path: string): Promise<unknown>;
  write(path: string, data: object): Promise<unknown>;
  delete(path: string): Promise<unknown>;
}

/** May be asked again after a failure that leaves open whether it was carried out. */
export type Repeatable = "repeatable" | "once";

const TRIES = 3;
const FIRST_PAUSE_MS = 50;

/**
 * Vault's HTTP interface through node-vault, which builds paths and reads answers, and through nothing else of it: the
 * requests go over our own connections, its debug output, which shows bodies, is cut off, and what it reads from the
 * environment is overwritten. Signs in by itself, also anew; tries again what may be repeated; spares callers a service
 * that is down.
 *
 * Methods answer with the JSON of a success, or of a batch that failed in part. They throw what `refusalOf` says, and
 * KEY_SERVICE_UNREACHABLE; no error has Vault's answer or the request in it.
 */
export class VaultClient implements Disposable {
  readonly #transport: VaultTransport;
  readonly #authenticated: NodeVault;
  readonly #token: VaultToken;
  readonly #breaker: CircuitBreaker;
  readonly #pause: (ms: number) => Promise<unknown>;

  private constructor(transport: VaultTransport, vault: NodeVault, token: VaultToken, options: VaultClientOptions) {
    this.#transport = transport;
    this.#authenticated = vault;
    this.#token = token;
    this.#breaker = new CircuitBreaker(options.breaker);
    this.#pause = options.pause ?? sleep;
  }

  /** Asks nothing of the server yet. Throws CONFIG_INVALID where a TLS file cannot be used. */
  static async open(settings: VaultSettings, options: VaultClientOptions): Promise<VaultClient> {
    const transport = await openVaultTransport(settings, options.egress);
    const { default: nodeVault } = await import("node-vault");
    const connect = () => {
      const request = (wanted: Parameters<VaultTransport["request"]>[0]) => transport.request(wanted);
      const vault = nodeVault({
        endpoint: settings.address,
        apiVersion: "v1",
        noCustomHTTPVerbs: true,
        debug: () => {},
        "request-promise": { defaults: () => request },
      }) as unknown as NodeVault;
      // it takes these from VAULT_TOKEN, VAULT_NAMESPACE and VAULT_PREFIX where they are not given
      return Object.assign(vault, { token: "", namespace: settings.namespace ?? "", pathPrefix: "" });
    };
    const token = new VaultToken(
      settings.auth,
      (path, body, presented) => {
        const vault = Object.assign(connect(), { token: presented ?? "" });
        return answered(body === undefined ? vault.read(path) : vault.write(path, body));
      },
      options,
    );
    return new VaultClient(transport, connect(), token, options);
  }

  read(path: string): Promise<unknown> {
    return this.#call("repeatable", (vault) => vault.read(path));
  }

  /** Undefined where there is nothing to list. */
  list(path: string): Promise<unknown> {
    return this.#call("repeatable", (vault) => vault.list(path));
  }

  write(path: string, body: object, repeatable: Repeatable): Promise<unknown> {
    return this.#call(repeatable, (vault) => vault.write(path, body));
  }

  delete(path: string): Promise<unknown> {
    return this.#call("once", (vault) => vault.delete(path));
  }

  [Symbol.dispose](): void {
    this.#token[Symbol.dispose]();
    this.#transport.close();
  }

  #call(repeatable: Repeatable, ask: (vault: NodeVault) => Promise<unknown>): Promise<unknown> {
    return this.#breaker.run(async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#signedIn(ask);
        } catch (error) {
          if (!isDown(error) || isLasting(error) || attempt === TRIES || repeatable === "once") throw error;
          // any moment of a time that doubles, so that those who failed together do not come back together
          await this.#pause(Math.random() * FIRST_PAUSE_MS * 2 ** attempt);
        }
      }
    });
  }

  /** A refused token is replaced and the call made again: it was not carried out. */
  async #signedIn(ask: (vault: NodeVault) => Promise<unknown>): Promise<unknown> {
    const token = await this.#token.current();
    try {
      return await this.#with(token, ask);
    } catch (error) {
      if (!(error instanceof HubError && error.code === "KEY_SERVICE_DENIED" && error.details?.["status"] === 403))
        throw error;
      const fresh = await this.#token.insteadOf(token);
      if (fresh === undefined) throw error;
      return this.#with(fresh, ask);
    }
  }

  #with(token: string, ask: (vault: NodeVault) => Promise<unknown>): Promise<unknown> {
    this.#authenticated.token = token; // read before the request is awaited
    return answered(ask(this.#authenticated));
  }
}

/** What node-vault rejects with holds the answer's body, which may be plaintext: it is read here and dropped. */
async function answered(asked: Promise<unknown>): Promise<unknown> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof HubError) throw error;
    const { response } = error as { response?: { statusCode?: number; body?: unknown } };
    if (response?.statusCode === undefined) {
      throw new HubError("INTERNAL", "The key service could not be asked; the log has the kind of failure.", {
        details: { kind: error instanceof Error ? error.name : typeof error },
      });
    }
    const body = (response.body ?? {}) as { errors?: unknown; data?: { batch_results?: unknown } };
    // a batch with bad items comes back under 400: its results are the answer
    if (Array.isArray(body.data?.batch_results)) return body;
    const errors = Array.isArray(body.errors) ? body.errors.map(String) : [];
    // nothing there to read or list, as opposed to no engine that could tell
    if (response.statusCode === 404 && errors.length === 0) return undefined;
    throw refusalOf(response.statusCode, errors);
  }
}
