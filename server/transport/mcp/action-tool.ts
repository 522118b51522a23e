import type { ActionRequest, ActionResult, ConfirmationState, Done } from "../../action/action-request.ts";
import { isRead } from "../../action/define-action.ts";
import type { RegisteredAction } from "../../action/registry.ts";
import { HubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import { CallProgress } from "./call-progress.ts";
import { type DoorCall, declaresTasks, type ToolAnswer } from "./catalogue.ts";
import { answerTo, canAsk, questionOf } from "./confirmation.ts";
import { hubTasks } from "./hub-tasks.ts";
import { doneResult, pendingResult } from "./tool-result.ts";

const IDEMPOTENCY_KEY = "countersign/idempotencyKey";
const RUN_ID = "countersign/runId";

/** A tool of the hub is an action: the call goes to the gate. Throws what the gate throws, INPUT_INVALID for `_meta`. */
export async function callAction(
  door: HubDoor,
  action: string,
  input: Readonly<Record<string, unknown>>,
  call: DoorCall,
): Promise<ToolAnswer> {
  const telling = new CallProgress(call);
  const request = { ...requestOf(action, input, call), ...(wantsProgress(call) && { onProgress: telling.tell }) };
  const result = await told(telling, () => door.run(request));
  const entry = door.action(action);
  const begun = declaresTasks(call.capabilities) ? longWorkIn(result, entry) : undefined;
  if (begun !== undefined) return { kind: "task", task: await hubTasks(door).get(begun, call.caller) };
  return answerOf(result, entry);
}

/** All that was told is sent before there is an answer. */
async function told<T>(telling: CallProgress, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } finally {
    await telling.end();
  }
}

const wantsProgress = ({ meta }: DoorCall): boolean => meta.progressToken !== undefined;

/** The operation that goes on after the answer: people have to agree, or the call only began it. */
function longWorkIn(result: ActionResult, entry: RegisteredAction | undefined): string | undefined {
  if (result.status === "pending") return result.approval.requestId;
  return result.status === "done" ? entry?.action.begins?.(result.output) : undefined;
}

/** The call as the gate takes it. */
export function requestOf(action: string, input: Readonly<Record<string, unknown>>, call: DoorCall): ActionRequest {
  const { caller, meta, traceId, signal } = call;
  const idempotencyKey = textIn(meta, IDEMPOTENCY_KEY);
  const runId = textIn(meta, RUN_ID);
  // a state without an answer, or an answer without a state, is no confirmation: the caller is asked anew
  const answer = call.state === undefined ? undefined : answerTo(call.answers);
  return {
    action,
    input,
    caller,
    channel: "mcp",
    canConfirm: canAsk(call.capabilities),
    // what it is bound to, this action among the rest, is the gate's to compare
    ...(answer && { confirmation: { state: call.state as ConfirmationState, ...answer } }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(runId !== undefined && { runId }),
    traceId,
    signal,
  };
}

function answerOf(result: ActionResult, entry: RegisteredAction | undefined): ToolAnswer {
  switch (result.status) {
    case "done":
      return { kind: "result", result: doneResult(result, pathsOf(result, entry)) };
    case "pending":
      return { kind: "result", result: pendingResult(result) };
    case "confirm":
      return questionOf(result);
  }
}

/** What the result names; of a change its receipt too, which is written by now. */
function pathsOf({ output, receipt }: Done, entry: RegisteredAction | undefined): string[] {
  if (!entry) return [];
  const named = entry.action.links?.(output) ?? [];
  return isRead(entry.action) ? [...named] : [...named, `receipts/${receipt.id}`];
}

function textIn(meta: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = meta[name];
  if (value === undefined || typeof value === "string") return value;
  throw new HubError("INPUT_INVALID", `${name} is a text.`, { path: `_meta[${JSON.stringify(name)}]` });
}
