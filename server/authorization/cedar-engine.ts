import { createRequire } from "node:module";
import type * as Cedar from "@cedar-policy/cedar-wasm/nodejs";
import type { EntityUidJson, SchemaJson, Type, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";

export type CedarEngine = typeof Cedar;
export type CedarSchemaJson = SchemaJson<string>;
export type CedarType = Type<string>;
export type { CedarValueJson, DetailedError, EntityJson, PolicyJson, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";

const MODULE = "@cedar-policy/cedar-wasm/nodejs";

/**
 * A WebAssembly instance of its own (about 15 ms, the first one of a process 100 ms and 41 MB).
 *
 * A trap, or a stack that ran out, leaves an instance unusable for good. So strangers' text is read in an instance that
 * is thrown away, and whatever an instance throws (its functions answer with failures, they do not throw) means: open
 * another one.
 */
export function openEngine(): CedarEngine {
  // a `require` of our own keeps no list of the instances it made, and the cache would keep the last
  const require = createRequire(import.meta.url);
  const file = require.resolve(MODULE);
  delete require.cache[file];
  const engine = require(MODULE) as CedarEngine;
  delete require.cache[file];
  return engine;
}

/** Whether the engine died: of a trap, or of a stack that ran out. */
export function engineDied(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof Error && error.name === "RuntimeError"); // WebAssembly's
}

/** Cedar writes entity references in two ways. */
export function entityOf(uid: EntityUidJson): TypeAndId {
  return "__entity" in uid ? uid.__entity : uid;
}

export function sameEntity(a: TypeAndId, b: TypeAndId): boolean {
  return a.type === b.type && a.id === b.id;
}
