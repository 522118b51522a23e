/** The one way to write a JSON value as bytes (RFC 8785), and the SHA-256 of them. */
import { hash } from "node:crypto";
import serialize from "canonicalize";
import { HubError } from "../../server/errors.ts";
import { formatJsonPath } from "./json-path.ts";

/** A JSON value. Objects are plain ones; a member that is absent is left out, never `undefined`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface CanonicalOptions {
  /** For signed records: refuse numbers that are no integers or lie beyond 2^53-1, which other languages read differently. */
  integersOnly?: boolean;
}

/** Containers inside containers, the outermost counted. */
export const MAX_DEPTH = 128;

/**
 * The canonical JSON text of a value by RFC 8785: members sorted by UTF-16 code units, no white space, ECMAScript
 * numbers. Equal values have equal texts, in every language that follows the RFC.
 *
 * Throws CANONICAL_INVALID with the path of the first value that has no canonical form: `undefined`, functions and
 * objects that are not plain, non-finite numbers, lone surrogates, members named `__proto__`, nesting beyond MAX_DEPTH
 * (which a circular value reaches too).
 */
export function canonicalize(value: Json, options: CanonicalOptions = {}): string {
  const pass = new OrderingPass(options.integersOnly ?? false);
  const ordered = pass.order(value, 0);
  if (!pass.enginePreservesOrder) return serialize(value) as string;
  return JSON.stringify(ordered);
}

/** SHA-256 of bytes, or of the UTF-8 form of a text, in lower-case hexadecimal. */
export function digest(bytes: Uint8Array | string): string {
  return hash("sha256", bytes, "hex");
}

/**
 * Checks a value and sorts its members, so that `JSON.stringify` writes the canonical text: a third of the time that the
 * library takes. An object whose members are sorted already is used as it is. The one case where the engine does not
 * keep the order of insertion is names that are array indexes; then the library does the work.
 */
class OrderingPass {
  readonly #integersOnly: boolean;
  readonly #path: (string | number)[] = [];
  enginePreservesOrder = true;

  constructor(integersOnly: boolean) {
    this.#integersOnly = integersOnly;
  }

  order(value: Json, depth: number): Json {
    switch (typeof value) {
      case "string":
        if (!value.isWellFormed()) this.#refuse("a string holds half of a surrogate pair");
        return value;
      case "number":
        this.#checkNumber(value);
        return value;
      case "boolean":
        return value;
      case "object":
        if (value === null) return value;
        if (depth >= MAX_DEPTH) this.#refuse(`nested deeper than ${MAX_DEPTH} levels`);
        return Array.isArray(value)
          ? this.#orderArray(value, depth + 1)
          : this.#orderObject(value as JsonObject, depth + 1);
      default:
        return this.#refuse(`${typeof value} is no JSON value`);
    }
  }

  #orderArray(array: readonly Json[], depth: number): Json {
    let copy: Json[] | undefined;
    // by index, since holes of a sparse array must be seen and refused
    for (let index = 0; index < array.length; index++) {
      const item = array[index] as Json;
      this.#path.push(index);
      const ordered = this.order(item, depth);
      this.#path.pop();
      if (copy === undefined && ordered !== item) copy = array.slice(0, index);
      copy?.push(ordered);
    }
    return copy ?? array;
  }

  #orderObject(object: JsonObject, depth: number): Json {
    const prototype = Object.getPrototypeOf(object);
    if (prototype !== Object.prototype && prototype !== null) this.#refuse("the object is not a plain one");
    const names = Object.keys(object);
    let copy: Record<string, Json> | undefined;
    if (!isSorted(names)) {
      names.sort();
      copy = {};
    }
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const ordered = this.#member(object, name, depth);
      if (copy === undefined && ordered !== object[name]) {
        copy = {};
        for (const before of names.slice(0, i)) copy[before] = object[before] as Json;
      }
      if (copy !== undefined) copy[name] = ordered;
    }
    return copy ?? object;
  }

  #member(object: JsonObject, name: string, depth: number): Json {
    this.#path.push(name);
    if (name === "__proto__") this.#refuse("a member may not be named __proto__");
    if (!name.isWellFormed()) this.#refuse("a member's name holds half of a surrogate pair");
    const first = name.charCodeAt(0);
    if (first >= 0x30 && first <= 0x39) this.enginePreservesOrder = false;
    const ordered = this.order(object[name] as Json, depth);
    this.#path.pop();
    return ordered;
  }

  #checkNumber(value: number): void {
    if (this.#integersOnly) {
      if (!Number.isSafeInteger(value)) this.#refuse("a number is no integer between -(2^53-1) and 2^53-1");
    } else if (!Number.isFinite(value)) this.#refuse("a number is not finite");
  }

  #refuse(reason: string): never {
    const path = formatJsonPath(this.#path);
    const where = path === "" ? "This value" : `The value at ${path}`;
    throw new HubError("CANONICAL_INVALID", `${where} has no canonical JSON form: ${reason}.`, { path });
  }
}

type JsonObject = { readonly [name: string]: Json };

function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) if ((names[i - 1] as string) > (names[i] as string)) return false;
  return true;
}
