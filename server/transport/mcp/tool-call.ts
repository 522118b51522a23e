import {
  type CallToolRequest,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type InputRequiredResult,
  type InputResponses,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { ActionRequest, ActionResult, ConfirmationAsked, ConfirmationState } from "../../action/action-request.ts";
import { HubError, toHubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import { traceIdOf } from "../trace-context.ts";
import type { Traffic } from "../traffic.ts";
import { answerTo, type ConfirmationSeal, canAsk, QUESTION, readAnswer } from "./confirmation.ts";
import { malformedCall } from "./errors.ts";
import { type IdentifiedExchange, identifiedIn } from "./exchange-context.ts";
import { doneResult, doneResultInText, errorResult, pendingResult } from "./tool-result.ts";

/** How a client reaches the hub: the revision's own way to be asked, and what it said it can do. */
export interface ToolCallDoor {
  readonly door: HubDoor;
  readonly traffic: Traffic;
  readonly seal: ConfirmationSeal;
  readonly confirmMs: number;
}

const IDEMPOTENCY_KEY = "countersign/idempotencyKey";
const RUN_ID = "countersign/runId";

/** A call of the 2026-07-28 revision: a question goes back with the answer, and the client calls again. */
export async function callModern(
  at: ToolCallDoor,
  request: CallToolRequest,
  context: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  const capabilities = (context.mcpReq.envelope as Record<string, unknown> | undefined)?.[CLIENT_CAPABILITIES_META_KEY];
  const state = context.mcpReq.requestState<ConfirmationState>();
  // a state without an answer, or an answer without a state, is no confirmation: the caller is asked anew
  const answer = state && answerTo(context.mcpReq.inputResponses as InputResponses | undefined);
  return run(at, context, async (identified) => {
    const call = requestOf(request, context, identified, canAsk(capabilities as ClientCapabilities | undefined));
    const result = await gate(at, state && answer ? { ...call, confirmation: { state, ...answer } } : call);
    return result.status === "confirm" ? at.seal.ask(result, context) : resultOf(result, doneResult);
  });
}

/** A call of the 2025 revisions: the client is asked while it waits. */
export async function callLegacy(
  at: ToolCallDoor,
  request: CallToolRequest,
  context: ServerContext,
  capabilities: ClientCapabilities | undefined,
): Promise<CallToolResult | InputRequiredResult> {
  endWhenCancelled(context);
  return run(at, context, async (identified) => {
    const call = requestOf(request, context, identified, canAsk(capabilities));
    const result = await gate(at, call);
    if (result.status !== "confirm") return resultOf(result, doneResultInText);
    const accepted = await at.traffic.idling(identified.exchange, () => askWaiting(at, result, context));
    // a person may take minutes: who was let in then may be banned now
    const caller = await at.door.identify(identified.token, "mcp");
    const confirmed = await gate(at, { ...call, caller, confirmation: { state: result.state, accepted } });
    return resultOf(confirmed, doneResultInText);
  });
}

/** A cancelled call has no answer, and the SDK would keep its stream open for one until the session ends. */
function endWhenCancelled(context: ServerContext): void {
  const { exchange } = identifiedIn(context);
  if (exchange.answersSeveral) return;
  context.mcpReq.signal.addEventListener("abort", () => exchange.response.end(), { once: true });
}

function gate({ door, traffic }: ToolCallDoor, request: ActionRequest): Promise<ActionResult> {
  return traffic.running(request.caller, () => door.run(request));
}

async function run<R>(
  { door }: ToolCallDoor,
  context: ServerContext,
  call: (identified: IdentifiedExchange) => Promise<R>,
): Promise<R | CallToolResult> {
  const identified = identifiedIn(context);
  try {
    return await call(identified);
  } catch (thrown) {
    const error = toHubError(thrown);
    if (error.code === "ACTION_UNKNOWN") throw malformedCall(error);
    if (error.code === "INTERNAL") door.log.error({ err: thrown, requestId: identified.exchange.id }, "a call failed");
    return errorResult(error);
  }
}

function requestOf(
  { params }: CallToolRequest,
  context: ServerContext,
  { caller, exchange }: IdentifiedExchange,
  canConfirm: boolean,
): ActionRequest {
  const meta: Record<string, unknown> = context.mcpReq._meta ?? {};
  const idempotencyKey = textIn(meta, IDEMPOTENCY_KEY);
  const runId = textIn(meta, RUN_ID);
  return {
    action: params.name,
    input: params.arguments ?? {},
    caller,
    channel: "mcp",
    canConfirm,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(runId !== undefined && { runId }),
    // through a bridge the header is the bridge's own; what the client says stands in the message
    traceId: traceIdOf(meta.traceparent) ?? exchange.traceId,
    signal: context.mcpReq.signal,
  };
}

function textIn(meta: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = meta[name];
  if (value === undefined || typeof value === "string") return value;
  throw new HubError("INPUT_INVALID", `${name} is a text.`, { path: `_meta[${JSON.stringify(name)}]` });
}

function resultOf(result: ActionResult, done: typeof doneResult): CallToolResult {
  switch (result.status) {
    case "done":
      return done(result);
    case "pending":
      return pendingResult(result);
    case "confirm":
      throw new Error("cannot happen: a confirmed call asks to be confirmed");
  }
}

async function askWaiting(
  { confirmMs }: ToolCallDoor,
  asked: ConfirmationAsked,
  context: ServerContext,
): Promise<boolean> {
  const { signal } = context.mcpReq;
  try {
    const params = { message: asked.message, requestedSchema: QUESTION };
    const answer = await context.mcpReq.send({ method: "elicitation/create", params }, { timeout: confirmMs, signal });
    return readAnswer(answer)?.accepted === true;
  } catch (cause) {
    if (signal.aborted)
      throw new HubError("CANCELLED", "The call was cancelled while it waited to be confirmed.", { cause });
    // no answer, or one that makes no sense: silence is no
    return false;
  }
}
