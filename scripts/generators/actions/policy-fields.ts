import * as z from "zod";
import type { Action } from "../../../server/action/define-action.ts";
import { declaredActions } from "../../../server/authorization/declared-action.ts";
import { fieldRows } from "../reference/field-rows.ts";
import type { Schema } from "../reference/schema-words.ts";

/** What policies may read of an action's input, as `context.input.<field>`: `kind`, `object.labels`; sorted. */
export function policyFields(action: Action): string[] {
  const [declared] = declaredActions([action]);
  if (!declared) return [];
  const rows = fieldRows(z.toJSONSchema(declared.policyInput, { io: "input" }) as Schema);
  return rows
    .filter(({ type }) => type !== "object")
    .map(({ field }) => field)
    .sort();
}
