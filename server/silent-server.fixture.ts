import { createServer, type Server, type Socket } from "node:net";
import { eventually } from "./test-hub.ts";

/** For tests: takes connections and says nothing, until it ends them. */
export class SilentServer {
  readonly #server: Server;
  readonly sockets = new Set<Socket>();

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("error", () => {}).on("close", () => this.sockets.delete(socket));
      socket.resume(); // or nobody notices that the other side ended it
    });
  }

  static async open(): Promise<SilentServer> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return new SilentServer(server);
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get url(): string {
    return `https://localhost:${this.port}/fleet.git`;
  }

  /** When somebody has connected. */
  connected(): Promise<true> {
    return eventually("a connection", async () => this.sockets.size > 0 || undefined);
  }

  /** When whoever was connected is gone. */
  left(): Promise<true> {
    return eventually("the end of the connection", async () => this.sockets.size === 0 || undefined);
  }

  /** From now on whoever connects is sent away at once. */
  hangUp(forGood = false): void {
    for (const socket of this.sockets) socket.destroy();
    if (forGood) this.#server.on("connection", (socket) => socket.destroy());
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.hangUp();
  }
}
