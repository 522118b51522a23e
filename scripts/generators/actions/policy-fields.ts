import type { Action } from "../../../server/action/define-action.ts";
import { declaredActions } from "../../../server/authorization/declared-action.ts";

/** What policies may read of an action's input, as `context.input.<field>`; sorted. */
export function policyFields(action: Action): string[] {
  const [declared] = declaredActions([action]);
  return Object.keys(declared?.policyInput.shape ?? {}).sort();
}
