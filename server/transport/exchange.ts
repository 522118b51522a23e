import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Caller } from "../action/caller.ts";
import { newTraceId, traceIdOf } from "./trace-context.ts";

/** Bytes of a body that nobody wants which are read all the same, to keep the connection. */
const WORTH_READING = 64 << 10;
/** Milliseconds that a client has to notice, after its answer, that nobody wants the rest of its body. */
const LINGER_MS = 2_000;

/** One HTTP request on its way through the door, and what has become known about it. */
export class Exchange {
  /** Stands in the response's header and in every line of the log. */
  readonly id = randomUUID();
  readonly traceId: string;
  readonly started = performance.now();
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without the query, which may hold what should not be logged. */
  readonly path: string;
  caller: Caller | undefined;
  /** For the log: the MCP method and the tool's name. */
  subject: string | undefined;
  /** Whether one response answers several messages (a batch). */
  answersSeveral = false;
  readonly #gone = new AbortController();

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    this.traceId = traceIdOf(request.headers.traceparent) ?? newTraceId();
    const url = request.url ?? "/";
    const query = url.indexOf("?");
    this.path = query === -1 ? url : url.slice(0, query);
    response.setHeader("x-request-id", this.id);
    response.once("close", () => {
      if (!response.writableFinished) this.abort();
    });
  }

  /** Fires when the client went away before it had its answer, or when the door could not wait any longer. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  abort(): void {
    this.#gone.abort();
  }

  /** Answers with JSON in one piece. Nobody may keep an answer: it was made for one caller. */
  answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    if (this.response.headersSent) {
      this.response.destroy();
      return;
    }
    this.answerText(status, JSON.stringify(body), { "content-type": "application/json", ...headers });
  }

  answerText(status: number, text: string, headers: Readonly<Record<string, string>>): void {
    if (this.#leftUnread()) this.#closeAfterwards();
    this.response
      .writeHead(status, {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-length": Buffer.byteLength(text),
        ...headers,
      })
      .end(text);
  }

  /**
   * Ends the connection after the answer (RFC 9112, section 9.6): closed with bytes of the body unread it would be reset,
   * and the answer could be lost with it. So this side ends first, and what still comes is thrown away for a moment.
   */
  #closeAfterwards(): void {
    const { request, response } = this;
    const { socket } = request;
    response.setHeader("connection", "close");
    // how Node ends a connection after its last response
    socket.destroySoon = () => {
      socket.end();
      request.resume();
      const over = setTimeout(() => socket.destroy(), LINGER_MS);
      socket.once("close", () => clearTimeout(over));
    };
  }

  /** Whether a long body is still on its way: reading all of it only to throw it away would be work for a stranger. */
  #leftUnread(): boolean {
    const { complete, headers } = this.request;
    if (complete || this.request.method === "GET" || this.request.method === "HEAD") return false;
    return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > WORTH_READING;
  }
}
