import {
  type ClientCapabilities,
  type InputResponses,
  inputRequired,
  inputResponse,
} from "@modelcontextprotocol/server";
import type { ConfirmationAsked } from "../../action/action-request.ts";
import type { Asked } from "./catalogue.ts";

const KEY = "confirm";

/** The one question that the hub asks of its own. Secrets are never asked for by a form. */
const QUESTION = {
  type: "object" as const,
  properties: { confirm: { type: "boolean" as const, title: "Yes, do it" } },
  required: ["confirm"],
};

/** Whether a client can put a question to its user. `elicitation: {}` means forms (MCP 2025-06-18). */
export function canAsk({ elicitation }: ClientCapabilities): boolean {
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

/** The gate compares what is carried with the call that comes back, and spends it once. */
export function questionOf({ message, state }: ConfirmationAsked): Asked {
  return {
    kind: "asked",
    questions: { [KEY]: inputRequired.elicit({ message, requestedSchema: QUESTION }) },
    carry: { state, expiresAt: new Date(state.expiresAt) },
  };
}

/** What the user said; undefined where there is no answer to this question. */
export function answerTo(answers: InputResponses | undefined): { accepted: boolean } | undefined {
  const answer: { kind?: string; action?: string; content?: unknown } = inputResponse(answers, KEY);
  if (answer.kind !== "elicit") return undefined;
  const content = answer.content as { confirm?: unknown } | undefined;
  // anything but a clear yes is a no
  return { accepted: answer.action === "accept" && content?.confirm === true };
}
