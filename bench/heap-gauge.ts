/** What a process's heap holds when everything that nobody uses is collected: asked by the inspector's protocol. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export class HeapGauge implements Disposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  /** For a process that is to be started with `--inspect=127.0.0.1:<port>`. */
  static async freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    return port;
  }

  static async attach(port: number): Promise<HeapGauge> {
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      webSocketDebuggerUrl: string;
    }[];
    const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? "");
    await once(socket, "open");
    return new HeapGauge(socket);
  }

  /** V8's heap and what it holds outside of it, in megabytes. */
  async heapMb(): Promise<number> {
    for (let i = 0; i < 3; i++) {
      await this.#ask("HeapProfiler.collectGarbage");
      await pause(200); // what finalizers and closed sockets let go of
    }
    const expression = "(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())";
    const { result } = (await this.#ask("Runtime.evaluate", { expression })) as { result: { value: number } };
    return result.value / 2 ** 20;
  }

  async #ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await promise;
    this.#waiting.delete(id);
    if (error) throw new TypeError(`${method}: ${error.message}`);
    return result;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
