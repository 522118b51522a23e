import type { Json } from "../../contracts/formats/canonical-json.ts";
import type { Target } from "./target.ts";

/** A call of another action that a call amounts to: one that applies a whole proposal puts and deletes objects. */
export interface OtherCall {
  readonly action: string;
  readonly input: Readonly<Record<string, Json>>;
  readonly target: Target;
}
