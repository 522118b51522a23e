import * as z from "zod";
import { rowId } from "../formats/row-id.ts";
import { progress } from "./progress.ts";

/** Long work as actions answer with it: a sync, a call that waits for people, later rotations and bundles. */
export const OPERATION_STATES = ["working", "completed", "failed", "cancelled"] as const;
export const operationState = z.enum(OPERATION_STATES);

export const operationId = rowId.describe("id of the operation: of a sync run, or of a request for approval");

export const operationView = z.strictObject({
  id: z.string(),
  kind: z.string().describe("`gitops.sync`, `approval`"),
  about: z.string().describe("what it is about: `gitops/repositories/fleet`, or the action that waits"),
  state: operationState,
  progress,
  requestedBy: z.string().describe("id of the principal that asked for it"),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  next: z.string().nullable().describe("the tool that tells the whole, with its input"),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
});
export type OperationView = z.output<typeof operationView>;

/** A read, with its input. */
export interface NextCall {
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** As `next` has it: the tool, a space, its input as JSON. */
export const nextText = ({ action, input }: NextCall): string => `${action} ${JSON.stringify(input)}`;

export function nextCall(text: string): NextCall {
  const space = text.indexOf(" ");
  return { action: text.slice(0, space), input: JSON.parse(text.slice(space)) };
}
