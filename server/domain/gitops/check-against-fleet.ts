import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { toHubError } from "../../errors.ts";
import { checkParameters, type DeclaredParameters } from "../fleet/assignment-parameters.ts";
import { referencesOf, refText } from "../fleet/references.ts";
import type { DeclaredObject, DesiredStateProblem } from "./desired-state.ts";
import { desiredStateInvalid, problemAt } from "./read-fleet-file.ts";

/**
 * What is declared may refer to objects that others keep in the fleet: whether they are there, and take what is sent to
 * them, is known only now. Throws DESIRED_STATE_INVALID with every fault and its place.
 */
export function checkAgainstFleet(
  repository: string,
  declared: readonly DeclaredObject[],
  live: ReadonlyMap<string, LiveFleetObject>,
): void {
  const own = new Set(declared.map(({ object }) => refText(object)));
  const problems = declared.flatMap((declaration) => [
    ...danglingIn(declaration, repository, own, live),
    ...misfitsIn(declaration, own, live),
  ]);
  if (problems.length > 0) throw desiredStateInvalid(problems);
}

function danglingIn(
  declaration: DeclaredObject,
  repository: string,
  own: ReadonlySet<string>,
  live: ReadonlyMap<string, LiveFleetObject>,
): DesiredStateProblem[] {
  return referencesOf(declaration.object).flatMap((reference) => {
    const name = refText(reference);
    if (own.has(name)) return [];
    const found = live.get(name);
    // what the repository owns and declares no more goes away with this very commit
    if (found && found.owner !== repository) return [];
    const what = found ? `${name} is not declared any more` : `there is no ${name}, in these files or in the fleet`;
    return [problemAt(declaration, reference.path, `${what}.`)];
  });
}

/** Templates that are declared in the same files were looked at when these were read. */
function misfitsIn(
  declaration: DeclaredObject,
  own: ReadonlySet<string>,
  live: ReadonlyMap<string, LiveFleetObject>,
): DesiredStateProblem[] {
  const { object } = declaration;
  if (object.kind !== "Assignment" || own.has(`Template/${object.spec.template}`)) return [];
  const template = live.get(`Template/${object.spec.template}`);
  if (!template) return [];
  try {
    checkParameters(template.name, template.spec["parameters"] as DeclaredParameters, object.spec.parameters);
    return [];
  } catch (error) {
    const { path = "object", message } = toHubError(error);
    return [problemAt(declaration, path, message.replace(`${path}: `, ""))];
  }
}
