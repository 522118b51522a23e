import type { FleetKind } from "../../../contracts/fleet/object.ts";
import { toHubError } from "../../errors.ts";
import { checkParameters } from "../fleet/assignment-parameters.ts";
import { referencesOf, refText } from "../fleet/references.ts";
import { problemAt } from "./declared-places.ts";
import type { DeclaredObject, DesiredStateProblem } from "./desired-state.ts";

/**
 * What is wrong between objects, each of which is right by itself: names declared twice, circles of modules, parameters
 * that the declared template does not take. What a reference names may also be in the fleet, which is not looked at here.
 */
export function problemsBetween(objects: readonly DeclaredObject[]): DesiredStateProblem[] {
  const twice = declaredTwice(objects);
  // which of the two is meant decides the rest
  return twice.length > 0 ? twice : [...circles(objects), ...misfits(objects)];
}

function declaredTwice(objects: readonly DeclaredObject[]): DesiredStateProblem[] {
  const firsts = new Map<string, DeclaredObject>();
  return objects.flatMap((declared) => {
    const name = refText(declared.object);
    const first = firsts.get(name);
    if (first === undefined) {
      firsts.set(name, declared);
      return [];
    }
    const place = `${first.file}:${first.line}:${first.column} (${first.path})`;
    return [problemAt(declared, "object", `${name} is declared twice; the other is at ${place}`)];
  });
}

type Declared<K extends FleetKind> = DeclaredObject & {
  readonly object: Extract<DeclaredObject["object"], { kind: K }>;
};

const ofKind =
  <K extends FleetKind>(kind: K) =>
  (declared: DeclaredObject): declared is Declared<K> =>
    declared.object.kind === kind;

/** Each way back to a module that is being followed is a circle; a module that is done is not followed again. */
function circles(objects: readonly DeclaredObject[]): DesiredStateProblem[] {
  const modules = new Map(objects.filter(ofKind("Module")).map((module) => [module.object.name, module]));
  const done = new Set<string>();
  const problems: DesiredStateProblem[] = [];
  for (const start of modules.values()) {
    // a stack of its own: a chain may be as long as the fleet
    const way = [follow(start)];
    const onTheWay = new Set([start.object.name]);
    if (done.has(start.object.name)) continue;
    for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
      const reference = at.next();
      if (reference === undefined) {
        way.pop();
        onTheWay.delete(at.name);
        done.add(at.name);
      } else if (onTheWay.has(reference.name)) {
        const names = way.map(({ name }) => name);
        const circle = [...names.slice(names.indexOf(reference.name)), reference.name];
        problems.push(problemAt(at.module, reference.path, `a circle of modules: ${inShort(circle)}`));
      } else {
        const module = modules.get(reference.name);
        if (module === undefined || done.has(reference.name)) continue;
        way.push(follow(module));
        onTheWay.add(reference.name);
      }
    }
  }
  return problems;
}

/** A module, and what it depends on, one after the other. */
function follow(module: Declared<"Module">) {
  const references = referencesOf(module.object).values();
  return { module, name: module.object.name, next: () => references.next().value };
}

const LONGEST_CIRCLE = 10;

function inShort(names: readonly string[]): string {
  const [first, last] = [names.slice(0, LONGEST_CIRCLE), names.at(-1)];
  return names.length <= LONGEST_CIRCLE + 1 ? names.join(" -> ") : `${first.join(" -> ")} -> ... -> ${last}`;
}

/** Where the template is declared here too: others are the fleet's. */
function misfits(objects: readonly DeclaredObject[]): DesiredStateProblem[] {
  const templates = new Map(objects.filter(ofKind("Template")).map(({ object }) => [object.name, object]));
  return objects.filter(ofKind("Assignment")).flatMap((declared) => {
    const { spec } = declared.object;
    const template = templates.get(spec.template);
    if (template === undefined) return [];
    try {
      checkParameters(template.name, template.spec.parameters, spec.parameters);
      return [];
    } catch (error) {
      const { path = "object", message } = toHubError(error);
      return [problemAt(declared, path, message.replace(`${path}: `, ""))];
    }
  });
}
