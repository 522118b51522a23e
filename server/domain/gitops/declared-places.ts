import type { JsonPath } from "../../../contracts/formats/json-path.ts";
import { referencesOf } from "../fleet/references.ts";
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
  if (source === undefined) return { file, line, column, ...declared.places?.[path] };
  const [, ...within] = parsePath(path);
  return { file, ...source.tree.placeOf([...source.path, ...within]) };
}

/** The same object with the places that the fleet may find fault with, for where its source is not at hand. */
export function withPlaces(declared: DeclaredObject): DeclaredObject {
  const { object } = declared;
  const parameters = object.kind === "Assignment" ? Object.keys(object.spec.parameters) : [];
  const paths = [
    ...referencesOf(object).map(({ path }) => path),
    ...parameters.map((name) => `object.spec.parameters.${name}`),
  ];
  if (paths.length === 0) return declared;
  const places = paths.map((path) => {
    const { line, column } = placeOf(declared, path);
    return [path, { line, column }] as const;
  });
  return { ...declared, places: Object.fromEntries(places) };
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
