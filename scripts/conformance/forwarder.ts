import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Stands before a hub on loopback and adds a bearer token, which the suite has no option for. Whatever else a client sent,
 * Host and Origin too, reaches the hub as it was: the hub's own guards judge it.
 */
export class Forwarder implements AsyncDisposable {
  readonly port: number;
  readonly #server: ReturnType<typeof createServer>;
  #hub: { readonly url: URL; readonly token: string } | undefined;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("request", (incoming, answer) => this.#forward(incoming, answer));
  }

  /** Listens on a free port; the hub may be named later, so that it can be told this origin when it starts. */
  static async open(): Promise<Forwarder> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Forwarder(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  leadTo(url: string, token: string): void {
    this.#hub = { url: new URL(url), token };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #forward(incoming: IncomingMessage, answer: ServerResponse): void {
    if (this.#hub === undefined) return void answer.writeHead(503).end();
    const { url, token } = this.#hub;
    const { method, url: path, rawHeaders } = incoming;
    const headers = [...rawHeaders, "Authorization", `Bearer ${token}`];
    const outgoing = request({ host: url.hostname, port: url.port, method, path, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.rawHeaders);
      answer.flushHeaders();
      response.pipe(answer);
    });
    // a client that goes away takes its request with it
    answer.once("close", () => outgoing.destroy());
    outgoing.once("error", () => answer.destroy());
    incoming.pipe(outgoing);
  }
}
