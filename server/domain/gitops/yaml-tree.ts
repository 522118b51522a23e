import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type YAMLMap,
} from "yaml";
import type { JsonPath } from "../../../contracts/formats/json-path.ts";

/** In a file; lines and columns count from 1, columns in UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a text as YAML. Never quotes the text, which may hold a secret. */
export interface YamlFault extends Position {
  readonly path: JsonPath;
  readonly message: string;
}

export type ParsedYaml =
  | { readonly tree: YamlTree; readonly faults?: undefined }
  | { readonly faults: readonly YamlFault[] };

/** What a file says, and where it says it. */
export class YamlTree {
  /** Plain JSON: maps are objects, aliases are written out. */
  readonly value: unknown;
  readonly #root: Node | null;
  readonly #targets: ReadonlyMap<Alias, Node>;
  readonly #lines: LineCounter;
  readonly #pairs = new WeakMap<YAMLMap, ReadonlyMap<unknown, Pair>>();

  constructor(value: unknown, root: Node | null, targets: ReadonlyMap<Alias, Node>, lines: LineCounter) {
    this.value = value;
    this.#root = root;
    this.#targets = targets;
    this.#lines = lines;
  }

  /** Where the value at the path is written; where there is none, the value around it that comes nearest. */
  placeOf(path: JsonPath): Position {
    return this.#position(this.#find(path).value);
  }

  /** Where the last name of the path is written, which the tree must have. */
  placeOfKey(path: JsonPath): Position {
    const { key, value } = this.#find(path);
    return this.#position(key ?? value);
  }

  #find(path: JsonPath): { key: Node | undefined; value: Node | null } {
    let value = this.#root;
    let key: Node | undefined;
    for (const part of path) {
      // an alias leads to where the value is written
      const inside = isAlias(value) ? this.#targets.get(value) : value;
      const pair = isMap(inside) ? this.#pairsOf(inside).get(part) : undefined;
      const next = pair ? (pair.value ?? pair.key) : isSeq(inside) ? inside.items[Number(part)] : undefined;
      if (next === undefined) break;
      key = pair?.key as Node | undefined;
      value = next as Node;
    }
    return { key, value };
  }

  /** Kept by name, since a map may have as many faults as names. */
  #pairsOf(map: YAMLMap): ReadonlyMap<unknown, Pair> {
    let pairs = this.#pairs.get(map);
    if (pairs === undefined) {
      pairs = new Map(map.items.map((pair) => [isScalar(pair.key) ? pair.key.value : pair.key, pair]));
      this.#pairs.set(map, pairs);
    }
    return pairs;
  }

  #position(node: Node | null): Position {
    return positionAt(this.#lines, node?.range?.[0] ?? 0);
  }
}

export function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
