import type { HubConnection, HubReply } from "./hub-connection.ts";
import type { Message } from "./message.ts";

const INITIALIZED = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });

/**
 * The session that a client of a 2025 revision believes in. The hub's own ends with its process: then this opens another
 * with the client's first words, and the client never learns of it.
 */
export class Session {
  readonly #hub: HubConnection;
  readonly #ended: AbortSignal;
  /** Takes what the hub says of its own accord. */
  readonly #onMessage: (text: string) => Promise<unknown>;
  #initialize: string | undefined;
  #id: string | undefined;
  #revision: string | undefined;
  #renewing: Promise<void> | undefined;
  /** Whether the hub's own stream is open, or is known not to be offered. */
  #listening = false;

  constructor(hub: HubConnection, ended: AbortSignal, onMessage: (text: string) => Promise<unknown>) {
    this.#hub = hub;
    this.#ended = ended;
    this.#onMessage = onMessage;
  }

  /** Sends the handshake that all later sessions repeat. */
  async initialize(line: string, signal: AbortSignal): Promise<HubReply> {
    this.#initialize = line;
    this.#id = undefined;
    const reply = await this.#hub.send("POST", {}, line, signal);
    this.#id = reply.sessionId;
    return reply;
  }

  /** Looks at the answer to the handshake: later requests name the revision it settled on. */
  settle(answer: Message & { readonly result?: { readonly protocolVersion?: unknown } }): void {
    const revision = answer.result?.protocolVersion;
    if (typeof revision === "string") this.#revision = revision;
  }

  /** Sends a message within the session, in a new one where the hub has lost it. */
  async send(line: string, signal: AbortSignal): Promise<HubReply> {
    await this.#renewing;
    const used = this.#id;
    const reply = await this.#hub.send("POST", this.#headers(), line, signal);
    if (reply.status !== 404 || used === undefined) {
      this.#listen();
      return reply;
    }
    await drained(reply);
    await this.#renew(used);
    return this.#hub.send("POST", this.#headers(), line, signal);
  }

  /** Tells the hub that nobody is there any more; it ends what still runs for this session. */
  async end(signal: AbortSignal): Promise<void> {
    if (this.#id !== undefined) await drained(await this.#hub.send("DELETE", this.#headers(), undefined, signal));
  }

  #headers(): Record<string, string> {
    return {
      ...(this.#id !== undefined && { "mcp-session-id": this.#id }),
      ...(this.#revision !== undefined && { "mcp-protocol-version": this.#revision }),
    };
  }

  /** Once for all messages that found the session lost. */
  async #renew(lost: string): Promise<void> {
    if (this.#renewing === undefined) {
      if (this.#id !== lost || this.#initialize === undefined) return;
      this.#renewing = this.#reopen(this.#initialize).finally(() => {
        this.#renewing = undefined;
      });
    }
    await this.#renewing;
  }

  async #reopen(initialize: string): Promise<void> {
    await drained(await this.initialize(initialize, this.#ended));
    if (this.#id !== undefined) await drained(await this.#hub.send("POST", this.#headers(), INITIALIZED, this.#ended));
  }

  /** Keeps the stream open on which the hub speaks first, where it offers one. */
  #listen(): void {
    if (this.#listening || this.#id === undefined) return;
    this.#listening = true;
    // lost with the hub: the next message that gets through opens another
    void this.#hear().catch(() => {
      this.#listening = false;
    });
  }

  async #hear(): Promise<void> {
    const reply = await this.#hub.send("GET", this.#headers(), undefined, this.#ended);
    for await (const text of reply.messages()) if (reply.status === 200) await this.#onMessage(text);
    this.#listening = reply.status === 405;
  }
}

async function drained(reply: HubReply): Promise<void> {
  for await (const _ of reply.messages());
}
