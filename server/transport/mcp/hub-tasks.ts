import * as z from "zod";
import { rowId } from "../../../contracts/formats/row-id.ts";
import { nextCall, type OperationView, operationView } from "../../../contracts/operations/operation.ts";
import type { Done } from "../../action/action-request.ts";
import type { Caller } from "../../action/caller.ts";
import { type ErrorCode, HubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import type { Task, TaskShelf, TaskState } from "./catalogue.ts";
import { doneResult } from "./tool-result.ts";

/** Milliseconds: how often a client should ask. */
const POLL_MS = 1_000;
const LIMIT_MS = 30_000;
/** What a cancellation of work that is over is refused with. */
const OVER: readonly ErrorCode[] = [
  "CONFLICT",
  "APPROVAL_SPENT",
  "APPROVAL_CANCELLED",
  "APPROVAL_DENIED",
  "APPROVAL_EXPIRED",
  "APPROVAL_STALE",
];

const gotOperation = z.object({ operation: operationView });
const gotRequest = z.object({ yours: z.object({ result: z.unknown().optional() }).optional() });
const kept = z.object({
  output: z.record(z.string(), z.unknown()),
  summary: z.string(),
  receipt: z.object({ id: z.string(), callId: z.string(), salt: z.string() }),
});

/**
 * Operations as tasks of the extension (SEP-2663): a task's id is the operation's, which only who asked for it can use.
 * Every look and every cancellation goes through the gate, as the tool that does the same.
 */
export function hubTasks(door: HubDoor): TaskShelf {
  return {
    async get(id, caller) {
      const operation = await ownOperation(door, id, caller);
      return taskOf(operation, await stateOf(door, operation, caller));
    },

    async cancel(id, caller) {
      await ownOperation(door, id, caller);
      try {
        await call(door, caller, "system_operations_cancel", { operationId: id });
      } catch (error) {
        if (!(error instanceof HubError) || !OVER.includes(error.code)) throw error;
      }
    },

    async answer(id, _answers, caller) {
      await ownOperation(door, id, caller);
      throw new HubError("CONFLICT", "This task asks for nothing.");
    },
  };
}

/** Another's task is as unknown as none. */
async function ownOperation(door: HubDoor, id: string, caller: Caller): Promise<OperationView> {
  if (!rowId.safeParse(id).success) throw unknown();
  const { output } = await call(door, caller, "system_operations_get", { operationId: id }).catch((error: unknown) => {
    throw error instanceof HubError && error.code === "NOT_FOUND" ? unknown() : error;
  });
  const { operation } = gotOperation.parse(output);
  if (operation.requestedBy !== caller.principal.id) throw unknown();
  return operation;
}

const unknown = () => new HubError("NOT_FOUND", "There is no such task.", { path: "taskId" });

function taskOf({ id, progress, createdAt, endedAt }: OperationView, state: TaskState): Task {
  return {
    id,
    createdAt: new Date(createdAt),
    updatedAt: new Date(endedAt ?? Date.now()),
    message: progress.sentence,
    keptMs: null,
    pollMs: POLL_MS,
    state,
  };
}

async function stateOf(door: HubDoor, operation: OperationView, caller: Caller): Promise<TaskState> {
  const { state, error } = operation;
  if (state === "completed")
    return { status: "completed", result: doneResult(await resultOf(door, operation, caller), []) };
  if (state !== "failed") return { status: state };
  const { code, message } = error ?? { code: "INTERNAL", message: "" };
  return { status: "failed", error: new HubError(code as ErrorCode, message) };
}

/** What the call would have answered with, had it not taken so long: what tells the whole of it answers alike. */
async function resultOf(door: HubDoor, { id, kind, next }: OperationView, caller: Caller): Promise<Done> {
  const { action, input } = next ? nextCall(next) : { action: "system_operations_get", input: { operationId: id } };
  const told = await call(door, caller, action, input);
  if (kind !== "approval") return told;
  const found = kept.safeParse(gotRequest.parse(told.output).yours?.result);
  // a result is kept for a while; that it was carried out stays on record
  return found.success ? { status: "done", ...found.data } : told;
}

async function call(
  door: HubDoor,
  caller: Caller,
  action: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Done> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const result = await door.run({ action, input, caller, channel: "mcp", canConfirm: false, signal });
  if (result.status === "done") return result;
  throw new TypeError(`${action} waits for somebody`);
}
