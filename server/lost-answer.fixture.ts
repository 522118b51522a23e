import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { type TestDatabase, testDatabase } from "./adapters/postgres/test-database.ts";
import { QUEUES } from "./jobs/queues.ts";
import { TestHubs } from "./test-hub.ts";

/** Ends the connection whose answer was lost. */
export type Cut = () => void;

/** For tests: a way to PostgreSQL that loses the answer to a COMMIT which was made, as a network does that goes away. */
export class LossyPath implements AsyncDisposable {
  readonly hubs: TestHubs;
  readonly #server: Server;
  readonly #folder: string;
  #lose: ((cut: Cut) => void) | undefined;

  constructor(db: TestDatabase) {
    const { host, port = 5432 } = db.runtime;
    const name = `.s.PGSQL.${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), "countersign-lossy-"));
    this.#server = createServer((client) => this.#carry(client, createConnection(`${host}/${name}`)));
    this.#server.listen(join(this.#folder, name));
    const runtime: pg.PoolConfig = { ...db.runtime, host: this.#folder };
    this.hubs = new TestHubs({ ...db, runtime, [Symbol.asyncDispose]: () => db[Symbol.asyncDispose]() });
  }

  static async open(): Promise<LossyPath> {
    return new LossyPath(await testDatabase({ queues: QUEUES }));
  }

  /** Resolves when the next change or request is committed, which nobody hears of. */
  loseNext(): Promise<Cut> {
    const { promise, resolve } = Promise.withResolvers<Cut>();
    this.#lose = resolve;
    return promise;
  }

  #carry(client: Socket, server: Socket): void {
    let staged = false;
    let lost: ((cut: Cut) => void) | undefined;
    client.on("data", (sent) => {
      const text = sent.toString("latin1");
      staged ||= text.includes("stage-outcome");
      if (staged && text.includes("commit\0")) {
        staged = false;
        lost = this.#lose;
        this.#lose = undefined;
      }
      server.write(sent);
    });
    server.on("data", (answer) => {
      if (!lost) client.write(answer);
      else if (answer.includes("COMMIT\0"))
        lost(() => {
          client.destroy();
          server.destroy();
        });
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hubs[Symbol.asyncDispose]();
    await new Promise((closed) => this.#server.close(closed));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
