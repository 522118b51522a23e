import type { DesiredFleetObject } from "../../../contracts/fleet/object.ts";
import type { JsonPath } from "../../../contracts/formats/json-path.ts";
import {
  FLEET_LISTS,
  type FleetDocument,
  type FleetList,
  includedFleetDocument,
  MAX_OBJECTS,
  rootFleetDocument,
} from "../../../contracts/gitops/fleet-document.ts";
import { problemsBetween } from "./check-desired-state.ts";
import { rememberSource } from "./declared-places.ts";
import type { DeclaredObject, DesiredState, DesiredStateProblem } from "./desired-state.ts";
import { compare, desiredStateInvalid, pathInWords } from "./desired-state-fault.ts";
import { findSecrets } from "./find-secrets.ts";
import { parseYaml } from "./parse-yaml.ts";
import { misfitsOf } from "./shape-words.ts";
import { YAML_LIMITS, type YamlBudget } from "./yaml-budget.ts";
import type { Position, YamlTree } from "./yaml-tree.ts";

export { placeOf, problemAt } from "./declared-places.ts";
export { desiredStateInvalid } from "./desired-state-fault.ts";

export interface FleetFile {
  readonly path: string;
  readonly text: string;
}

/** What the root file includes, as it says it; nothing where it cannot be read, which `readDesiredState` then tells. */
export function includesOf(text: string): readonly string[] {
  // most files include nothing, and need not be read twice to know; a backslash may spell the word in another way
  if (!/include|\\/.test(text)) return [];
  const yaml = parseYaml(text, { ...YAML_LIMITS });
  const { include } = (yaml.faults ? {} : (yaml.tree.value ?? {})) as { include?: unknown };
  return rootFleetDocument.shape.include.safeParse(include).data ?? [];
}

/**
 * What the files of one commit ask for: the root file first, then those that it includes. By kind, then name, in the
 * order of code units. Throws DESIRED_STATE_INVALID with all that is wrong, as far as it can be told: secrets hide what
 * else a file has, and what is between objects is looked at when each is right.
 */
export function readDesiredState(files: readonly FleetFile[]): DesiredState {
  const budget = { ...YAML_LIMITS };
  const objects: DeclaredObject[] = [];
  const problems: DesiredStateProblem[] = [];
  for (const [i, file] of files.entries()) {
    const read = readFile(file, i === 0, budget, objects.length);
    objects.push(...(read.objects ?? []));
    problems.push(...(read.problems ?? []));
  }
  if (problems.length === 0) problems.push(...problemsBetween(objects));
  if (problems.length > 0) throw desiredStateInvalid(problems);
  return { objects: objects.sort(byKindAndName) };
}

type Read =
  | { readonly objects: readonly DeclaredObject[]; readonly problems?: undefined }
  | { readonly problems: readonly DesiredStateProblem[]; readonly objects?: undefined };

function readFile({ path: file, text }: FleetFile, root: boolean, budget: YamlBudget, before: number): Read {
  const problem = ({ line, column }: Position, path: JsonPath, message: string): DesiredStateProblem => ({
    file,
    line,
    column,
    path: pathInWords(path),
    message,
  });
  const yaml = parseYaml(text, budget);
  if (yaml.faults) return { problems: yaml.faults.map((fault) => problem(fault, fault.path, fault.message)) };
  const { tree } = yaml;
  const at = (path: JsonPath, message: string) => problem(tree.placeOf(path), path, message);
  if (tree.value === null) return { problems: [at([], EMPTY)] };
  // first, so that no other sentence can quote one
  const secrets = findSecrets(tree.value);
  if (secrets.length > 0) return { problems: secrets.map(({ path, message }) => at(path, message)) };
  const tooMany = firstTooMany(tree.value, MAX_OBJECTS - before);
  if (tooMany) return { problems: [at(tooMany, TOO_MANY)] };
  const parsed = (root ? rootFleetDocument : includedFleetDocument).safeParse(tree.value);
  if (parsed.success) return { objects: declaredIn(parsed.data, file, tree) };
  const misfits = misfitsOf(parsed.error.issues, tree.value, root);
  return {
    problems: misfits.map(({ path, atKey, message }) =>
      problem(atKey ? tree.placeOfKey(path) : tree.placeOf(path), path, message),
    ),
  };
}

const EMPTY = "the file is empty; it starts with apiVersion: countersign/v1 and kind: Fleet";
const TOO_MANY = `more than ${MAX_OBJECTS.toLocaleString("en")} objects in all files together; split the fleet over several repositories`;

/** The entry that is one too many, before each of them is checked; undefined where there is room. */
function firstTooMany(value: unknown, room: number): JsonPath | undefined {
  let left = room;
  for (const list of LISTS) {
    const entries = (value as Partial<Record<FleetList, unknown>>)[list];
    if (!Array.isArray(entries)) continue;
    if (entries.length > left) return [list, left];
    left -= entries.length;
  }
  return undefined;
}

const LISTS = Object.keys(FLEET_LISTS) as FleetList[];

function declaredIn(document: FleetDocument, file: string, tree: YamlTree): DeclaredObject[] {
  return LISTS.flatMap((list) =>
    document[list].map((entry, i) => {
      const path = [list, i];
      const object = { kind: FLEET_LISTS[list], ...entry } as DesiredFleetObject;
      const declared = { object, path: pathInWords(path), file, ...tree.placeOf(path) };
      rememberSource(declared, { tree, path });
      return declared;
    }),
  );
}

function byKindAndName(a: DeclaredObject, b: DeclaredObject): number {
  return compare(a.object.kind, b.object.kind) || compare(a.object.name, b.object.name);
}
