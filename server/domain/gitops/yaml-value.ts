import { type Alias, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type YAMLMap } from "yaml";
import { MAX_YAML_DEPTH, TOO_DEEP, tooMuch, type YamlBudget } from "./yaml-budget.ts";
import { type ParsedYaml, positionAt, type YamlFault, YamlTree } from "./yaml-tree.ts";

/**
 * A document as plain JSON, with its aliases written out. The library's own `toJS` knows no bound on what aliases grow
 * to, and gives no places.
 */
export function yamlValue(root: Node | null, lines: LineCounter, budget: YamlBudget): ParsedYaml {
  const reader = new ValueReader(lines, budget);
  const value = reader.read(root);
  if (reader.faults.length > 0) return { faults: reader.faults };
  return { tree: new YamlTree(value, root, reader.targets, lines) };
}

class ValueReader {
  readonly faults: YamlFault[] = [];
  /** What each alias stands for: the anchor of its name that was set last before it. */
  readonly targets = new Map<Alias, Node>();
  readonly #anchors = new Map<string, Node>();
  /** Those that the node being read lies in. */
  readonly #around = new Set<Node>();
  readonly #path: (string | number)[] = [];
  readonly #lines: LineCounter;
  readonly #budget: YamlBudget;
  #insideAliases = 0;
  #stopped = false;

  constructor(lines: LineCounter, budget: YamlBudget) {
    this.#lines = lines;
    this.#budget = budget;
  }

  read(node: Node | null): unknown {
    if (this.#stopped || node === null) return null;
    if (--this.#budget.values < 0) return this.#stop(node, tooMuch("values"));
    if (isAlias(node)) return this.#readAlias(node);
    this.#remember(node);
    if (isScalar(node)) return this.#readScalar(node.value, node);
    if (this.#around.size >= MAX_YAML_DEPTH) return this.#stop(node, TOO_DEEP);
    this.#around.add(node);
    const value = isMap(node) ? this.#readMap(node) : isSeq(node) ? this.#readItems(node.items as Node[]) : null;
    this.#around.delete(node);
    return value;
  }

  #readAlias(alias: Alias): unknown {
    if (--this.#budget.aliases < 0) return this.#stop(alias, tooMuch("aliases"));
    const target = this.targets.get(alias) ?? this.#anchors.get(alias.source);
    if (target === undefined) return this.#fault(alias, "an alias (*) whose anchor (&) is not set before it");
    if (this.#around.has(target)) return this.#fault(alias, "an alias (*) that stands inside of what it names");
    this.targets.set(alias, target);
    this.#insideAliases++;
    const value = this.read(target);
    this.#insideAliases--;
    return value;
  }

  #readScalar(value: unknown, node: Node): unknown {
    if (typeof value === "string" && !(value.isWellFormed() && !value.includes("\0")))
      return this.#fault(node, "text with the character NUL or half a surrogate pair");
    return value;
  }

  #readItems(items: readonly Node[]): unknown[] {
    const list: unknown[] = [];
    for (const [i, item] of items.entries()) {
      if (this.#stopped) break;
      this.#path.push(i);
      list.push(this.read(item));
      this.#path.pop();
    }
    return list;
  }

  #readMap(map: YAMLMap): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (const { key, value } of map.items as { key: Node; value: Node | null }[]) {
      if (this.#stopped) break;
      // the parser has refused all but text
      const name = isScalar(key) ? String(this.#readScalar(key.value, key)) : "";
      this.#remember(key);
      this.#budget.values--;
      this.#path.push(name);
      if (Object.hasOwn(object, name)) this.#fault(key, "this name is given twice");
      else if (name === "<<") this.#fault(key, "merge keys (<<) are not used here: write the fields out");
      else if (name === "__proto__") this.#fault(key, "this name is not allowed");
      else object[name] = this.read(value);
      this.#path.pop();
    }
    return object;
  }

  /** What an alias repeats sets no anchor again: the text after it goes by the order of the text. */
  #remember(node: Node): void {
    if (this.#insideAliases > 0 || isAlias(node)) return;
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) this.#anchors.set(anchor, node);
  }

  #fault(node: Node, message: string): null {
    const { line, column } = positionAt(this.#lines, node.range?.[0] ?? 0);
    this.faults.push({ line, column, path: [...this.#path], message });
    return null;
  }

  #stop(node: Node, message: string): null {
    this.#stopped = true;
    return this.#fault(node, message);
  }
}
