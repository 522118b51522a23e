import type * as z from "zod";
import type { Preview } from "../domain/approvals/preview.ts";
import type { LeftBehind } from "../domain/evidence/call-record.ts";
import type { ErrorCode } from "../errors.ts";
import type { ReachContext, ReadContext, WriteContext } from "./context.ts";
import type { OtherCall } from "./other-call.ts";
import type { Channel, Effect, Risk } from "./risk.ts";
import type { Services } from "./services.ts";
import type { Target } from "./target.ts";

type InputOf<I extends z.ZodObject> = z.output<I>;
type OutputOf<O extends z.ZodObject> = z.output<O>;
type Changes = Exclude<Effect, "read">;
type ContextOf<E extends Effect, R> = E extends "read" ? ReadContext : WriteContext & { readonly reached: R };

export interface ActionDeclaration<E extends Effect, I extends z.ZodObject, O extends z.ZodObject, R = unknown> {
  /** `system_<area>_<verb>_<noun>`, at most 64 characters: the MCP tool, the Cedar action, the command-line verb. */
  readonly name: string;
  readonly title: string;
  /** For the agent that chooses a tool: what it does, when to use it, what to expect. */
  readonly description: string;
  /** Dotted, e.g. `system.fleet.write`. Its prefixes are groups in Cedar. */
  readonly permission: string;
  readonly risk: Risk & { readonly effect: E };
  /** A strict object. Parsed once; what is canonicalised, decided on, signed and executed is the parsed value. */
  readonly input: I;
  readonly output: O;
  /** Codes that this action itself can answer with, beyond those of the gate. */
  readonly errors: readonly ErrorCode[];
  /** Doors that offer it. Not every action is for a model to call. */
  readonly channels: readonly Channel[];
  /**
   * What policies may read as `context.input`: names of input fields, or a strict object that shows a part of the
   * input, by the same names.
   */
  readonly policyInput: readonly (keyof z.output<I> & string)[] | z.ZodObject;
  /** The resource types that `target` can answer with. */
  readonly resource: readonly Target["type"][];
  /** What the call is about, and in which version. Answers for unknown ids too: existence is told after authorisation. `account`: the whole account. */
  readonly target: "account" | ((input: InputOf<I>, context: ReadContext) => Target | Promise<Target>);
  /**
   * Calls of other actions that this one amounts to: it is permitted only where each of them is, and whoever one of them
   * needs has to agree. So no action is a way around what an account's policy says of another.
   */
  readonly amountsTo?: (input: InputOf<I>, context: ReadContext) => Promise<readonly OtherCall[]>;
  /** What approvers are shown; also refuses what could never succeed, before anyone is asked. Absent: the input itself. */
  readonly preview?: (input: InputOf<I>, context: ReadContext) => Promise<Preview>;
  /** The result holds a secret, shown once: it is never kept, journalled in clear, or offered through MCP. */
  readonly secretOutput: boolean;
  /**
   * Input fields that hold a secret. It is part of no digest, never held for approval, never kept under an idempotency key,
   * and a value that the schema refuses is not repeated. Not offered through MCP.
   */
  readonly secretInput?: readonly (keyof z.output<I> & string)[];
  /** Milliseconds after which the call is aborted with TIMEOUT. */
  readonly timeLimitMs: number;
  /** A few lines that a person reads in a chat. */
  readonly summary: (output: OutputOf<O>) => string;
  /** Paths of what the output names and a chat may want to read on, spelt as events spell subjects: `fleet/Template/web`. */
  readonly links?: (output: OutputOf<O>) => readonly string[];
  /** The id of the operation that the call began, where it answers before the work is done. */
  readonly begins?: (output: OutputOf<O>) => string;
  /** What a change left of things whose latest version the journal is to vouch for; stands in the outcome's receipt. */
  readonly leaves?: (output: OutputOf<O>) => readonly LeftBehind[];
  /** Tidies up outside of the database once the change is committed. Its failure is logged, and nothing else. */
  readonly afterwards?: (output: OutputOf<O>, services: Services) => Promise<void>;
  /**
   * Of an external action: reaches out to other systems, after the intent is durable and before the transaction of the
   * effect begins, so that no connection to the database is held meanwhile. The handler gets what it answers.
   */
  readonly reach?: (input: InputOf<I>, context: ReachContext) => Promise<R>;
  /**
   * One delegating line. A read gets a reader. A change runs inside the transaction that also records its outcome:
   * both commit, or neither.
   */
  readonly handler: (input: InputOf<I>, context: ContextOf<E, R>) => Promise<z.input<O>>;
}

type ReadAction = ActionDeclaration<"read", z.ZodObject, z.ZodObject>;
type ChangeAction = ActionDeclaration<Changes, z.ZodObject, z.ZodObject>;

/** An action as the registry, the gate and the doors see it: input and output are whatever its schemas say. */
export type Action = ReadAction | ChangeAction;

export const isRead = (action: Action): action is ReadAction => action.risk.effect === "read";

/** Whether its input or its output does: then neither is ever kept. */
export const holdsSecret = (action: Action): boolean => action.secretOutput || action.secretInput !== undefined;

/**
 * Declares an action. The declaration is all there is: the tool, the permission, the Cedar action, the reference and
 * the command-line verb come from it. The compiler keeps reads from writing.
 */
export function defineAction<const E extends Effect, I extends z.ZodObject, O extends z.ZodObject, R = undefined>(
  declaration: ActionDeclaration<E, I, O, R>,
): Action {
  // schemas give input and output their types at run time, which the registry's wider type cannot say
  return declaration as unknown as Action;
}
