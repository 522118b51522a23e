import { randomUUID } from "node:crypto";
import { PrismaPg } from "@prisma/adapter-pg";
import { ColumnTypeEnum, type SqlQuery } from "@prisma/driver-adapter-utils";
import pg from "pg";

/** OIDs of PostgreSQL's types "char" (one byte, of which the catalogues are full) and text. */
const CHAR = 18;
const TEXT = 25;

/**
 * Prisma's adapter, with the faults mended that only its schema engine in WebAssembly meets (adapter-pg 7.10).
 * `config` names host and database apart: the database of a connection string could not be replaced by a shadow.
 */
export class MigrationAdapter extends PrismaPg {
  readonly #config: pg.PoolConfig;
  readonly #pools: pg.Pool[] = [];
  readonly #epilogue: (script: string) => string;
  /** What PostgreSQL said: the engine itself only reports "external connector error". */
  failure: Error | undefined;

  /** `epilogue` gives the SQL that ends a script's transaction, for scripts that need one. */
  constructor(config: pg.PoolConfig, epilogue: (script: string) => string = () => "") {
    super({ ...config, max: 1 });
    this.#config = { ...config, max: 1 };
    this.#epilogue = epilogue;
  }

  override async connect() {
    const adapter = await super.connect();
    const pool = adapter.underlyingDriver();
    this.#pools.push(pool);
    // it splits a script at every ";", functions and strings included; whole, it is also one transaction
    adapter.executeScript = async (script) => {
      try {
        await pool.query(script + this.#epilogue(script));
      } catch (error) {
        this.failure = error as Error;
        throw error;
      }
    };
    readCharAsText(adapter);
    return adapter;
  }

  /** The engine never closes what it opened, and its session holds its advisory lock: the next run would wait 10 s. */
  async close() {
    await Promise.all(this.#pools.map((pool) => pool.end()));
  }

  /** It drops the shadow database while its own pool is still connected to it, which fails. */
  override async connectToShadowDb() {
    if (this.#config.connectionString) throw new Error("a shadow database needs host and database apart");
    const database = `shadow_${randomUUID()}`;
    const admin = new pg.Client(this.#config);
    await admin.connect();
    await admin.query(`create database "${database}" template template0`);
    const shadow = await new MigrationAdapter({ ...this.#config, database }).connect();
    const close = shadow.dispose.bind(shadow);
    shadow.dispose = async () => {
      await close();
      await admin.query(`drop database "${database}" with (force)`);
      await admin.end();
    };
    return shadow;
  }
}

/** It refuses columns of the type "char": they pass as text, and are named characters again in the result. */
function readCharAsText(adapter: Awaited<ReturnType<PrismaPg["connect"]>>): void {
  const inner = adapter as unknown as { performIO(query: SqlQuery): Promise<pg.QueryArrayResult> };
  const performIO = inner.performIO.bind(adapter);
  const chars = new WeakMap<SqlQuery, number[]>();
  inner.performIO = async (query) => {
    const result = await performIO(query);
    chars.set(
      query,
      result.fields.flatMap((field, i) => (field.dataTypeID === CHAR ? [i] : [])),
    );
    for (const field of result.fields) if (field.dataTypeID === CHAR) field.dataTypeID = TEXT;
    return result;
  };
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    const set = await queryRaw(query);
    for (const i of chars.get(query) ?? []) set.columnTypes[i] = ColumnTypeEnum.Character;
    return set;
  };
}
