import type * as z from "zod";
import { type assignmentSpec, parameterFault, type templateSpec } from "../../../contracts/fleet/object.ts";
import { HubError } from "../../errors.ts";

export type ParameterValues = z.output<typeof assignmentSpec>["parameters"];
export type DeclaredParameters = z.output<typeof templateSpec>["parameters"];

/** Throws INPUT_INVALID with the path of the first parameter that does not fit what the template declares. */
export function checkParameters(template: string, declared: DeclaredParameters, values: ParameterValues): void {
  const bad = (name: string, what: string) =>
    new HubError("INPUT_INVALID", `object.spec.parameters.${name}: ${what}`, {
      path: `object.spec.parameters.${name}`,
    });
  for (const name of Object.keys(values))
    if (!Object.hasOwn(declared, name)) throw bad(name, `Template/${template} has no such parameter`);
  for (const [name, parameter] of Object.entries(declared)) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) {
      if (parameter.required && parameter.default === undefined) throw bad(name, `Template/${template} needs it`);
      continue;
    }
    const fault = parameterFault(parameter, value);
    if (fault !== undefined) throw bad(name, fault);
  }
}
