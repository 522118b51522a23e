import { type CanonicalOptions, MAX_DEPTH } from "./canonical-json.ts";
import type { JsonPath } from "./json-path.ts";

/** The first reason why a text is no strict JSON. */
export interface JsonFault {
  reason: string;
  path: JsonPath;
  /** In UTF-16 code units from the start of the text. */
  offset: number;
}

/** One open container: in an object the names seen so far and the one being read, in an array the index. */
type Frame = { names: Set<string>; name: string | undefined } | { names: undefined; index: number };

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WHITE_SPACE = /[ \t\n\r]*/y;
const LITERALS = ["true", "false", "null"] as const;

/**
 * Walks a text that was refused and names the first fault and its place. Reading it by the grammar costs more than
 * `JSON.parse`, so that only refused texts come here. Linear; undefined where nothing is wrong.
 */
export function locateFault(text: string, options: CanonicalOptions = {}): JsonFault | undefined {
  return new FaultFinder(text, options.integersOnly ?? false).find();
}

class FaultFinder {
  readonly #text: string;
  readonly #integersOnly: boolean;
  readonly #frames: Frame[] = [];
  #at = 0;
  #fault: JsonFault | undefined;

  constructor(text: string, integersOnly: boolean) {
    this.#text = text;
    this.#integersOnly = integersOnly;
  }

  find(): JsonFault | undefined {
    while (this.#value() && this.#afterValue()) {}
    return this.#fault;
  }

  /** Reads a scalar, or opens a container as far as its first value. False where there is nothing left to read or a fault. */
  #value(): boolean {
    this.#space();
    const char = this.#text[this.#at];
    if (char === "{" || char === "[") return this.#open(char);
    if (char === '"') return this.#string() !== undefined;
    if (char === "-" || (char !== undefined && char >= "0" && char <= "9")) return this.#number();
    for (const literal of LITERALS) {
      if (this.#text.startsWith(literal, this.#at)) {
        this.#at += literal.length;
        return true;
      }
    }
    return this.#syntax("a value");
  }

  #open(bracket: "{" | "["): boolean {
    if (this.#frames.length >= MAX_DEPTH) return this.#refuse(`nested deeper than ${MAX_DEPTH} levels`);
    this.#at++;
    this.#space();
    const empty = this.#text[this.#at] === (bracket === "{" ? "}" : "]");
    if (empty) {
      this.#at++;
      return true;
    }
    if (bracket === "[") {
      this.#frames.push({ names: undefined, index: 0 });
      return this.#value();
    }
    this.#frames.push({ names: new Set(), name: undefined });
    return this.#name() && this.#value();
  }

  /** Reads what follows a value up to the next one: a comma and perhaps a name, or the ends of containers. */
  #afterValue(): boolean {
    for (;;) {
      this.#space();
      const frame = this.#frames.at(-1);
      const char = this.#text[this.#at];
      if (frame === undefined) return char === undefined ? false : this.#syntax("the end of the text");
      const end = frame.names === undefined ? "]" : "}";
      if (char === ",") {
        this.#at++;
        if (frame.names !== undefined) return this.#name();
        frame.index++;
        return true;
      }
      if (char !== end) return this.#syntax(`a comma or ${end}`);
      this.#at++;
      this.#frames.pop();
    }
  }

  #name(): boolean {
    this.#space();
    const start = this.#at;
    const frame = this.#frames.at(-1);
    if (frame?.names === undefined) throw new Error("cannot happen: a name outside of an object");
    frame.name = undefined;
    if (this.#text[start] !== '"') return this.#syntax("a name in double quotes");
    const name = this.#string();
    if (name === undefined) return false;
    frame.name = name;
    if (name === "__proto__") return this.#refuse("a member may not be named __proto__", start);
    if (frame.names.has(name)) return this.#refuse("two members of one object have this name", start);
    frame.names.add(name);
    this.#space();
    if (this.#text[this.#at] !== ":") return this.#syntax("a colon");
    this.#at++;
    return true;
  }

  /** The string that begins here, unescaped, or undefined where it is refused. */
  #string(): string | undefined {
    const start = this.#at;
    let end = start + 1;
    for (let code = this.#text.charCodeAt(end); code !== 0x22; code = this.#text.charCodeAt(end)) {
      if (Number.isNaN(code) || code < 0x20) {
        this.#at = end;
        this.#syntax("a character of the string or its closing quote");
        return undefined;
      }
      end += code === 0x5c ? 2 : 1;
    }
    let value: string;
    try {
      value = JSON.parse(this.#text.slice(start, end + 1)) as string;
    } catch {
      this.#refuse("the string holds an escape that JSON does not have", start);
      return undefined;
    }
    if (!value.isWellFormed()) this.#refuse("the string holds half of a surrogate pair", start);
    else if (value.includes("\0")) this.#refuse("the string holds the character NUL", start);
    this.#at = end + 1;
    return this.#fault === undefined ? value : undefined;
  }

  #number(): boolean {
    NUMBER.lastIndex = this.#at;
    const digits = NUMBER.exec(this.#text)?.[0];
    if (digits === undefined) return this.#syntax("a digit");
    const value = Number(digits);
    if (this.#integersOnly && !Number.isSafeInteger(value)) {
      return this.#refuse("the number is no integer between -(2^53-1) and 2^53-1");
    }
    if (!Number.isFinite(value)) return this.#refuse("the number is too large");
    this.#at += digits.length;
    return true;
  }

  #space(): void {
    WHITE_SPACE.lastIndex = this.#at;
    WHITE_SPACE.test(this.#text);
    this.#at = WHITE_SPACE.lastIndex;
  }

  #syntax(expected: string): false {
    const found = this.#at >= this.#text.length ? "the text ends where" : "the syntax is wrong where";
    return this.#refuse(`${found} ${expected} is due`);
  }

  #refuse(reason: string, offset = this.#at): false {
    const path = this.#frames.map((frame) => (frame.names === undefined ? frame.index : frame.name));
    // a name that is not read yet has no place in the path
    this.#fault ??= { reason, path: path.filter((part) => part !== undefined), offset };
    return false;
  }
}
