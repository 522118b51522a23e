import * as z from "zod";
import { HubError } from "../../errors.ts";
import { isDown, NOT_LET_IN } from "./refusals.ts";
import { readSettingsFile, type VaultAuth } from "./vault-settings.ts";

export interface TokenOptions {
  /** Calls `task` later, unless called off: for renewing before a lease ends. */
  readonly schedule?: (ms: number, task: () => void) => Disposable;
  readonly now?: () => number;
  /**
   * Told of renewals that failed, where the token in use goes on being used; and once of a file that cannot be read any
   * more, by an error that names it, until it can be.
   */
  readonly report?: (error: unknown) => void;
}

/** Asks Vault under a token, or under none; without a body it reads. Throws as VaultClient's methods do. */
export type AskAs = (path: string, body: object | undefined, token?: string) => Promise<unknown>;

interface Lease {
  readonly token: string;
  /** 0: it does not end. */
  readonly seconds: number;
  readonly renewable: boolean;
}

const authAnswer = z.object({
  auth: z.object({
    client_token: z.string().min(1),
    lease_duration: z.number(),
    renewable: z.boolean().default(false),
  }),
});
const lookupAnswer = z.object({ data: z.object({ ttl: z.number(), renewable: z.boolean().default(false) }) });

/** How much of a lease goes by before it is renewed: enough is left to try again. */
const RENEW_AFTER = 2 / 3;
/** After a failed renewal. */
const RETRY_MS = 5_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** How long a token that turned out dead, with none to take its place, is not asked after again. */
const DENIED_MS = 1_000;

/**
 * The token that requests carry: from a file, or by signing in with AppRole or a JWT. Renewed while its lease lasts, and
 * replaced by a new sign-in where it cannot be renewed any more, or is refused.
 */
export class VaultToken implements Disposable {
  readonly #auth: VaultAuth;
  readonly #ask: AskAs;
  readonly #schedule: NonNullable<TokenOptions["schedule"]>;
  readonly #now: () => number;
  readonly #report: (error: unknown) => void;
  #lease: Lease | undefined;
  #signingIn: Promise<Lease> | undefined;
  #renewal: Disposable | undefined;
  /** Of the file that a new sign-in needs and that cannot be read for now. */
  #unread: HubError | undefined;
  #deniedUntil = 0;
  #closed = false;

  constructor(
    auth: VaultAuth,
    ask: AskAs,
    { schedule = later, now = () => performance.now(), report = () => {} }: TokenOptions,
  ) {
    this.#auth = auth;
    this.#ask = ask;
    this.#schedule = schedule;
    this.#now = now;
    this.#report = report;
  }

  /**
   * Signs in first where nobody has. Throws CONFIG_INVALID (a file, the first time alone), KEY_SERVICE_DENIED,
   * KEY_SERVICE_UNREACHABLE, KEY_SERVICE_SEALED.
   */
  async current(): Promise<string> {
    return (this.#lease ?? (await this.#signIn())).token;
  }

  /**
   * Another token than one that was refused; undefined where that one is good, so that its policies were what refused.
   * Throws KEY_SERVICE_DENIED where there is no other, as `notLetIn` says it, and what `current` throws.
   */
  async insteadOf(refused: string): Promise<string | undefined> {
    if (this.#lease !== undefined && this.#lease.token !== refused) return this.#lease.token;
    if (this.#now() < this.#deniedUntil) throw notLetIn({ status: 403 });
    if (await this.#isGood(refused)) return undefined;
    const { token } = await this.#signIn();
    if (token !== refused) return token;
    this.#deniedUntil = this.#now() + DENIED_MS;
    throw notLetIn({ status: 403 });
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#renewal?.[Symbol.dispose]();
  }

  /** One for all who ask meanwhile. */
  #signIn(): Promise<Lease> {
    this.#signingIn ??= this.#newLease()
      .then((lease) => this.#use(lease))
      .finally(() => {
        this.#signingIn = undefined;
      });
    return this.#signingIn;
  }

  async #newLease(): Promise<Lease> {
    const auth = this.#auth;
    if (auth.method === "token") {
      const token = await this.#read(auth.tokenFile, "secret");
      return { token, ...(await this.#termsOf(token)) };
    }
    const body =
      auth.method === "approle"
        ? { role_id: auth.roleId, secret_id: await this.#read(auth.secretIdFile, "secret") }
        : { ...(auth.role !== undefined && { role: auth.role }), jwt: await this.#read(auth.jwtFile, "public") };
    return leaseOf(await this.#login(`auth/${auth.mount}/login`, body));
  }

  /**
   * A file that could be read before may be in the middle of being written anew: whoever waits for the key service waits
   * for that too. Where it is stands in the log, and not in what callers are told.
   */
  async #read(path: string, kind: Parameters<typeof readSettingsFile>[1]): Promise<string> {
    try {
      const text = await readSettingsFile(path, kind);
      this.#unread = undefined;
      return text;
    } catch (cause) {
      if (this.#lease === undefined) throw cause;
      if (this.#unread === undefined) this.#report(cause);
      const message = "The file for signing in to the key service cannot be read now.";
      this.#unread = new HubError("KEY_SERVICE_DENIED", message, { cause });
      throw this.#unread;
    }
  }

  /** Vault answers a wrong role, secret or JWT with 400: for the hub it is not let in. */
  async #login(path: string, body: object): Promise<unknown> {
    try {
      return await this.#ask(path, body);
    } catch (error) {
      if (isDown(error) && error.details?.["reason"] !== "NO_ENGINE") throw error;
      const { code, details } = error as HubError;
      if (code === "INTERNAL") throw error;
      throw notLetIn({ ...details });
    }
  }

  /** What is left of a token that somebody else made; a token that may not look itself up is used as it is. */
  async #termsOf(token: string): Promise<Omit<Lease, "token">> {
    try {
      const { data } = lookupAnswer.parse(await this.#ask("auth/token/lookup-self", undefined, token));
      return { seconds: data.ttl, renewable: data.renewable };
    } catch (error) {
      if (isDown(error)) throw error;
      return { seconds: 0, renewable: false };
    }
  }

  async #isGood(token: string): Promise<boolean> {
    try {
      await this.#ask("auth/token/lookup-self", undefined, token);
      return true;
    } catch (error) {
      if (isDown(error)) throw error;
      return false;
    }
  }

  #use(lease: Lease): Lease {
    this.#lease = lease;
    this.#renewal?.[Symbol.dispose]();
    this.#renewal = undefined;
    if (lease.seconds > 0) this.#renewIn(lease.seconds * 1000 * RENEW_AFTER);
    return lease;
  }

  #renewIn(ms: number): void {
    if (this.#closed) return;
    this.#renewal = this.#schedule(Math.min(ms, LONGEST_TIMER_MS), () => {
      this.#renew().catch((error: unknown) => {
        if (error !== this.#unread) this.#report(error); // that one was told
        this.#renewIn(RETRY_MS);
      });
    });
  }

  /** Where a renewal gives less than half of what there was, the token nears the end that no renewal moves. */
  async #renew(): Promise<void> {
    const { token, seconds, renewable } = this.#lease ?? (await this.#signIn());
    if (renewable) {
      try {
        const renewed = leaseOf(await this.#ask("auth/token/renew-self", {}, token));
        const isLast = this.#auth.method !== "token" && renewed.seconds < seconds / 2;
        if (renewed.seconds > 0 && !isLast) return void this.#use({ ...renewed, token });
      } catch (error) {
        if (isDown(error)) throw error;
      }
    }
    await this.#signIn();
  }
}

function notLetIn(details: Readonly<Record<string, unknown>>): HubError {
  return new HubError("KEY_SERVICE_DENIED", "The key service did not let the hub sign in.", {
    details: { ...details, reason: NOT_LET_IN },
  });
}

function leaseOf(answer: unknown): Lease {
  const parsed = authAnswer.safeParse(answer);
  if (!parsed.success)
    throw new HubError("KEY_SERVICE_UNREACHABLE", "The key service's answer to a sign-in has no token.");
  const { client_token: token, lease_duration: seconds, renewable } = parsed.data.auth;
  return { token, seconds, renewable };
}

function later(ms: number, task: () => void): Disposable {
  const timer = setTimeout(task, ms).unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
