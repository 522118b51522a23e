import http from "node:http";
import https from "node:https";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { eventData } from "./event-stream.ts";

export interface HubAddress {
  /** `http://127.0.0.1:7310`: the hub's origin, to which `/mcp` is added. */
  readonly url: string;
  readonly token: string;
}

/** What came back: an answer, or a stream of messages with the answer as its last. */
export interface HubReply {
  readonly status: number;
  readonly sessionId: string | undefined;
  /** JSON texts, in the hub's order. Ends with an error where the hub goes away in between. */
  messages(): AsyncIterable<string>;
}

/** The hub did not answer. Where the message may have reached it, nobody knows what became of it. */
export class HubGone extends Error {
  readonly url: string;
  readonly reached: boolean;

  constructor(url: string, reached: boolean, cause: unknown) {
    super("the hub does not answer", { cause });
    this.url = url;
    this.reached = reached;
  }
}

/** Messages to the hub's `/mcp`. Waits as long as an answer takes: the hub has the time limits, and closes when it ends. */
export class HubConnection {
  readonly #address: () => HubAddress;
  readonly #revive: (() => Promise<void>) | undefined;
  #reviving: Promise<void> | undefined;
  /** How often one was brought up. */
  #revivals = 0;
  /**
   * A connection for each message: a kept one may have been closed by a hub that stopped meanwhile, and then nobody could
   * tell a call that was never read from one that was carried out.
   */
  readonly #agents = { "http:": new http.Agent({ keepAlive: false }), "https:": new https.Agent({ keepAlive: false }) };

  /**
   * `address` is asked for each message, since the hub may have moved meanwhile; `revive` brings a hub up where none
   * answers. What they throw, `send` throws.
   */
  constructor(address: () => HubAddress, revive?: () => Promise<void>) {
    this.#address = address;
    this.#revive = revive;
  }

  /** Throws HubGone. Ending `signal` closes the connection, which the hub takes for a cancellation. */
  async send(
    method: "POST" | "GET" | "DELETE",
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<HubReply> {
    const revivals = this.#revivals;
    try {
      return await this.#send(method, headers, body, signal);
    } catch (error) {
      // only a message is worth a hub, and only one that no hub has seen may be sent again
      const unread = error instanceof HubGone && !error.reached && !signal.aborted;
      if (method !== "POST" || !unread || !this.#revive) throw error;
      if (revivals === this.#revivals) await this.#bringUp(this.#revive);
      signal.throwIfAborted();
      return await this.#send(method, headers, body, signal);
    }
  }

  /** Once for all messages that found no hub. */
  #bringUp(revive: () => Promise<void>): Promise<void> {
    this.#reviving ??= revive()
      .then(() => void this.#revivals++)
      .finally(() => {
        this.#reviving = undefined;
      });
    return this.#reviving;
  }

  async #send(
    method: "POST" | "GET" | "DELETE",
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<HubReply> {
    const { url, token } = this.#address();
    const target = new URL("/mcp", url);
    const secure = target.protocol === "https:";
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    let reached = false;
    const request = (secure ? https : http).request(target, {
      method,
      signal,
      agent: this.#agents[secure ? "https:" : "http:"],
      headers: {
        ...headers,
        authorization: `Bearer ${token}`,
        accept: "application/json, text/event-stream",
        ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      },
    });
    request.once("socket", (socket) => {
      socket.once(secure ? "secureConnect" : "connect", () => {
        reached = true;
      });
    });
    request.once("response", resolve);
    // after the response has begun, its own stream tells
    request.on("error", (cause) => reject(new HubGone(target.origin, reached, cause)));
    request.end(body);
    return replyOf(await promise, target.origin);
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}

function replyOf(response: http.IncomingMessage, origin: string): HubReply {
  const { "content-type": type = "", "mcp-session-id": session } = response.headers;
  return {
    status: response.statusCode ?? 0,
    sessionId: Array.isArray(session) ? session[0] : session,
    messages: () => messagesIn(response, type, origin),
  };
}

async function* messagesIn(response: Readable, type: string, origin: string): AsyncGenerator<string> {
  try {
    if (type.startsWith("text/event-stream")) yield* eventData(response);
    else {
      const body = await text(response);
      if (body !== "" && isJson(body)) yield body;
    }
  } catch (cause) {
    throw new HubGone(origin, true, cause);
  }
}

/** A page of another server, on the port where the hub was, is no message. */
function isJson(body: string): boolean {
  try {
    return JSON.parse(body) instanceof Object;
  } catch {
    return false;
  }
}
