import * as z from "zod";
import type { Action } from "../action/define-action.ts";
import type { Risk } from "../action/risk.ts";
import type { ResourceType } from "./resource-types.ts";

/** What authorisation needs of an action's declaration. */
export interface DeclaredAction {
  readonly name: string;
  readonly permission: string;
  readonly risk: Risk;
  /** The types that the call's resource can have, at least one. */
  readonly resource: readonly ResourceType[];
  /** What policies may see of the input: its fields, by name and type, are a part of the input's. */
  readonly policyInput: z.ZodObject;
}

/** What the registry's actions are to authorisation. Throws TypeError where one names a field that its input lacks. */
export function declaredActions(actions: readonly Action[]): DeclaredAction[] {
  return actions.map(({ name, permission, risk, resource, input, policyInput }) => {
    return {
      name,
      permission,
      risk,
      resource,
      policyInput: policyInput instanceof z.ZodObject ? policyInput : projectionOf(input, policyInput),
    };
  });
}

/** The projection of an input that shows some of its fields. Throws TypeError for a field that the input lacks. */
export function projectionOf(input: z.ZodObject, fields: readonly string[]): z.ZodObject {
  const shape: Record<string, z.core.SomeType> = {};
  for (const field of fields) {
    const type = Object.hasOwn(input.shape, field) ? input.shape[field] : undefined;
    if (!type) throw new TypeError(`policyInput names ${field}, which is no field of the input`);
    shape[field] = type;
  }
  return z.strictObject(shape);
}
