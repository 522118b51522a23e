import type { JsonPath } from "../../../contracts/formats/json-path.ts";
import type { DeclaredObject, DesiredStateProblem, Place } from "./desired-state.ts";
import type { YamlTree } from "./yaml-tree.ts";

interface Source {
  readonly tree: YamlTree;
  /** Of the object in its file. */
  readonly path: JsonPath;
}

/** The file's tree lives as long as an object that was read from it: places are looked up only where something is wrong. */
const sources = new WeakMap<DeclaredObject, Source>();

export function rememberSource(declared: DeclaredObject, source: Source): void {
  sources.set(declared, source);
}

/**
 * Where a field of a declared object is written, by its path as services name it: `object.spec.dependsOn[0]`. Where the
 * file does not have it, the place of what lies around it.
 */
export function placeOf(declared: DeclaredObject, path: string): Place {
  const { file, line, column } = declared;
  const source = sources.get(declared);
  if (source === undefined) return { file, line, column };
  const [, ...within] = parsePath(path);
  return { file, ...source.tree.placeOf([...source.path, ...within]) };
}

/** A problem with a field of a declared object; `path` as `placeOf` takes it. */
export function problemAt(declared: DeclaredObject, path: string, message: string): DesiredStateProblem {
  return { ...placeOf(declared, path), path: `${declared.path}${path.replace(/^object/, "")}`, message };
}

/** `object.spec.modules[2]`, `object.labels["example.com/tier"]`: what formatJsonPath writes, read back. */
function parsePath(path: string): (string | number)[] {
  return Array.from(
    path.matchAll(/(?<name>[A-Za-z_$][\w$-]*)|\[(?<index>\d+)\]|\[(?<quoted>"(?:[^"\\]|\\.)*")\]/g),
    (match) => {
      const { name, index, quoted } = match.groups ?? {};
      if (name !== undefined) return name;
      return index === undefined ? String(JSON.parse(quoted ?? '""')) : Number(index);
    },
  );
}
