import {
  type ClientCapabilities,
  type InputRequest,
  type InputRequiredResult,
  type InputResponse,
  type InputResponses,
  inputRequired,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { HubError } from "../../errors.ts";
import type { Asked, DoorCall, Needs } from "./catalogue.ts";
import { canAsk } from "./confirmation.ts";
import { doorCall } from "./door-call.ts";
import { missingCapabilities } from "./errors.ts";
import { identifiedIn } from "./exchange-context.ts";
import type { McpDoor } from "./mcp-door.ts";

/** Questions that one call may ask of a client, one after the other. */
const MOST_ROUNDS = 8;

/** Gets the catalogue's answer to one request, and the client's answers to what the catalogue asks first. */
export type Rounds = <T extends { readonly kind: string }>(
  context: ServerContext,
  capabilities: ClientCapabilities | undefined,
  answer: (call: DoorCall) => Promise<T | Asked | Needs>,
) => Promise<T | { readonly kind: "round"; readonly result: InputRequiredResult }>;

/** Revision 2026-07-28: a question goes back with the answer, and the client calls again. */
export function modernRounds(at: McpDoor): Rounds {
  return async (context, capabilities, answer) => {
    const call = doorCall(context, capabilities);
    const answered = served(await at.traffic.running(call.caller, () => answer(call)));
    if (!isAsked(answered)) return answered;
    const { questions, carry } = answered;
    const requestState = carry && (await at.seal.seal(carry, context));
    return {
      kind: "round",
      result: inputRequired({ inputRequests: questions, ...(requestState !== undefined && { requestState }) }),
    };
  };
}

/** The 2025 revisions: the client is asked while its call waits. */
export function legacyRounds(at: McpDoor): Rounds {
  return async (context, capabilities, answer) => {
    endWhenCancelled(context);
    const { exchange, token } = identifiedIn(context);
    let call = doorCall(context, capabilities);
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const answered = served(await at.traffic.running(call.caller, () => answer(call)));
      if (!isAsked(answered)) return answered;
      refuseUnable(call.capabilities, answered.questions);
      const answers = await at.traffic.idling(exchange, () => askWaiting(at, answered.questions, context));
      // a person may take minutes: who was let in then may be banned now
      const caller = await at.door.identify(token, "mcp");
      const { state: _, ...before } = call;
      call = { ...before, caller, answers, ...(answered.carry && { state: answered.carry.state }) };
    }
    throw new Error(`a call asked its client ${MOST_ROUNDS} times and wants to know more`);
  };
}

/** Throws what the protocol says of a client that cannot be served. */
function served<T extends { readonly kind: string }>(answered: T | Asked | Needs): T | Asked {
  if (answered.kind === "needs") throw missingCapabilities((answered as Needs).capabilities);
  return answered as T | Asked;
}

function isAsked(answered: { readonly kind: string }): answered is Asked {
  return answered.kind === "asked";
}

/** Throws for a client that did not declare that it can answer; for 2026-07-28 the SDK does. */
function refuseUnable(declared: ClientCapabilities, questions: Asked["questions"]): void {
  for (const { method, params } of Object.values(questions)) {
    if (method === "sampling/createMessage" && !declared.sampling) throw missingCapabilities({ sampling: {} });
    if (method === "roots/list" && !declared.roots) throw missingCapabilities({ roots: {} });
    if (method !== "elicitation/create") continue;
    const mode = params.mode === "url" ? "url" : "form";
    if (mode === "url" ? !declared.elicitation?.url : !canAsk(declared))
      throw missingCapabilities({ elicitation: { [mode]: {} } });
  }
}

/** A cancelled call has no answer, and the SDK would keep its stream open for one until the session ends. */
function endWhenCancelled(context: ServerContext): void {
  const { exchange } = identifiedIn(context);
  if (exchange.answersSeveral) return;
  context.mcpReq.signal.addEventListener("abort", () => exchange.response.end(), { once: true });
}

async function askWaiting(at: McpDoor, questions: Asked["questions"], context: ServerContext): Promise<InputResponses> {
  const answers = Object.entries(questions).map(
    async ([key, question]) => [key, await askOne(at, question, context)] as const,
  );
  return Object.fromEntries(await Promise.all(answers));
}

async function askOne(
  { confirmMs }: McpDoor,
  { method, params }: InputRequest,
  context: ServerContext,
): Promise<InputResponse> {
  const { signal } = context.mcpReq;
  try {
    const request = { method, ...(params && { params: { ...params } }) };
    return (await context.mcpReq.send(request, { timeout: confirmMs, signal })) as InputResponse;
  } catch (cause) {
    if (signal.aborted)
      throw new HubError("CANCELLED", "The call was cancelled while it waited for an answer.", { cause });
    // no answer of a person, or one that makes no sense: silence is no
    if (method === "elicitation/create") return { action: "cancel" };
    throw new HubError("TIMEOUT", `The client did not answer ${method}.`, { cause });
  }
}
