/**
 * Prisma's schema engine, compiled to WebAssembly: it needs no binary for the platform and no network. Pinned to the
 * version that `@prisma/engines-version` of the same Prisma names. It takes memory for good: never load it in the hub.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import type { MigrationList, SchemaContainer, SchemaEngine } from "@prisma/schema-engine-wasm";
import type pg from "pg";
import { MigrationAdapter } from "./migration-adapter.ts";
import type { Migration } from "./migration-history.ts";

export const SCHEMA_DIR = fileURLToPath(new URL("./schema", import.meta.url));

const filters = { externalTables: [], externalEnums: [] };

/** Applying needs no models, but the engine panics without a file. */
const BARE: SchemaContainer[] = [{ path: "bare.prisma", content: 'datasource db {\n  provider = "postgresql"\n}\n' }];

// TypeScript's library without the DOM does not know it
declare const WebAssembly: {
  instantiate(code: Uint8Array, imports: object): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
};

/**
 * Applies, in order, what of `migrations` is missing; returns the names. Each script and the note that it is finished
 * are one transaction. Throws what PostgreSQL said.
 */
export async function applyScripts(config: pg.PoolConfig, migrations: readonly Migration[]): Promise<string[]> {
  const adapter = new MigrationAdapter(config, (script) => {
    const migration = migrations.find((candidate) => candidate.script === script);
    return migration ? finished(migration.name) : "";
  });
  return withEngine(adapter, BARE, async (engine) => {
    const output = await engine.applyMigrations({ migrationsList: listOf(migrations), filters });
    return output.appliedMigrationNames;
  });
}

/** SQL that leads from `migrations` to the models in `schemaDir`; it says so where there is nothing to do. Needs CREATEDB. */
export async function draftScript(
  config: pg.PoolConfig,
  migrations: readonly Migration[],
  schemaDir: string = SCHEMA_DIR,
): Promise<string> {
  const files = readSchema(schemaDir);
  const from = { tag: "migrations", ...listOf(migrations) } as const;
  const to = { tag: "schemaDatamodel", files } as const;
  return withEngine(new MigrationAdapter(config), files, async (engine) => {
    return (await engine.diff({ from, to, script: true, exitCode: null, filters })).stdout ?? "";
  });
}

/**
 * A process that dies right after a script would leave it looking unfinished although it was applied. With this in
 * the script's own transaction, an unfinished one is certain to have left nothing.
 */
function finished(name: string): string {
  const literal = `'${name.replaceAll("'", "''")}'`;
  return `\n;update public._prisma_migrations set finished_at = now()
    where migration_name = ${literal} and finished_at is null and rolled_back_at is null`;
}

function readSchema(dir: string): SchemaContainer[] {
  const names = readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".prisma"));
  return names.sort().map((path) => ({ path, content: readFileSync(join(dir, path), "utf8") }));
}

function listOf(migrations: readonly Migration[]): MigrationList {
  return {
    baseDir: ".",
    lockfile: { path: "migration_lock.toml", content: 'provider = "postgresql"\n' },
    shadowDbInitScript: "",
    migrationDirectories: migrations.map(({ name, script }) => ({
      path: name,
      migrationFile: { path: "migration.sql", content: { tag: "ok", value: script } },
    })),
  };
}

async function withEngine<T>(
  adapter: MigrationAdapter,
  schema: SchemaContainer[],
  fn: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  const datamodels = schema.map((file): [string, string] => [file.path, file.content]);
  loading ??= load();
  const { SchemaEngine } = await loading;
  const engine = await SchemaEngine.new({ datamodels }, () => {}, bindMigrationAwareSqlAdapterFactory(adapter));
  try {
    return await fn(engine);
  } catch (error) {
    throw adapter.failure ?? error;
  } finally {
    engine.free();
    await adapter.close();
  }
}

let loading: ReturnType<typeof load> | undefined;

/** One instance a process, 5 MB. Its entry for Node expects a bundler, so this does what the bundler would. */
async function load(): Promise<{ SchemaEngine: typeof SchemaEngine }> {
  const dir = dirname(createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm"));
  const engine = await import(pathToFileURL(join(dir, "schema_engine_bg.js")).href);
  const code = readFileSync(join(dir, "schema_engine_bg.wasm"));
  const { instance } = await WebAssembly.instantiate(code, { "./schema_engine_bg.js": engine });
  const PRISMA_WASM_PANIC_REGISTRY = { set_message: (message: string) => console.error(message) };
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY }); // it expects one
  engine.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return engine;
}
