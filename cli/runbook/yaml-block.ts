import { type Document, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
import type * as z from "zod";
import type { RunbookFault } from "./runbook-fault.ts";

/** Aliases that a block may make of its anchors: runbooks are read by people, who need none. */
const NO_ALIASES = 0;

type Path = readonly PropertyKey[];

/** YAML in a runbook whose values know their lines in the file. */
export interface YamlBlock<T> {
  readonly value: T;
  /** Of the value at this path, or of the nearest around it. */
  readonly lineOf: (path: Path) => number;
}

/**
 * Reads a block that begins on line `first` of the file. What is not as the shape has it is told to `fault`; then the
 * answer is undefined.
 */
export function readYaml<T extends z.ZodType>(
  shape: T,
  text: string,
  first: number,
  fault: (fault: RunbookFault) => void,
): YamlBlock<z.output<T>> | undefined {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, prettyErrors: false });
  const at = (offset: number) => first + Math.max(0, counter.linePos(offset).line - 1);
  const complaints = [...document.errors, ...document.warnings];
  for (const { message, pos } of complaints) fault({ line: at(pos[0]), message });
  if (complaints.length > 0) return undefined;
  const odd = oddKey(document);
  if (odd !== undefined) {
    fault({ line: at(odd), message: 'a key is plain text; a placeholder stands in quotes: "{{name}}"' });
    return undefined;
  }
  const lineOf = (path: Path) => at(offsetOf((inner) => document.getIn(inner, true), path));
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: NO_ALIASES });
  } catch {
    fault({ line: first, message: "aliases are not used in runbooks: write the value out" });
    return undefined;
  }
  const { success, data, error } = shape.safeParse(value ?? {});
  if (success) return { value: data, lineOf };
  for (const { path, message } of error.issues) fault({ line: lineOf(path), message: placed(path, message) });
  return undefined;
}

export function placed(path: Path, message: string): string {
  return path.length === 0 ? message : `${pathText(path)}: ${message}`;
}

/** `items[0].name` */
export function pathText(path: Path): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`))
    .join("");
}

/** Where a key is a map or a list, as in `{{name}}` without quotes. */
function oddKey(document: Document): number | undefined {
  let found: number | undefined;
  visit(document, {
    Pair(_index, { key }) {
      if (isScalar(key)) return undefined;
      found = isNode(key) ? key.range?.[0] : 0;
      return visit.BREAK;
    },
  });
  return found;
}

function offsetOf(nodeAt: (path: Path) => unknown, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const node = nodeAt(path.slice(0, length));
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
