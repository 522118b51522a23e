import {
  type ClientCapabilities,
  createRequestStateCodec,
  type InputRequiredResult,
  type InputResponses,
  inputRequired,
  inputResponse,
  type RequestStateCodec,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { ConfirmationAsked, ConfirmationState } from "../../action/action-request.ts";
import { HubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import { identifiedIn } from "./exchange-context.ts";

const KEY = "confirm";

/** The one question that this door asks. Secrets are never asked for by a form. */
export const QUESTION = {
  type: "object" as const,
  properties: { confirm: { type: "boolean" as const, title: "Yes, do it" } },
  required: ["confirm"],
};

/** Whether a client can put a question to its user. `elicitation: {}` means forms (MCP 2025-06-18). */
export function canAsk(capabilities: ClientCapabilities | undefined): boolean {
  const elicitation = capabilities?.elicitation;
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

/** What the user said; undefined where there is no answer to this question. */
export function answerTo(responses: InputResponses | undefined): { accepted: boolean } | undefined {
  return readAnswer(inputResponse(responses, KEY));
}

export function readAnswer(answer: {
  kind?: string;
  action?: string;
  content?: unknown;
}): { accepted: boolean } | undefined {
  if (answer.kind !== undefined && answer.kind !== "elicit") return undefined;
  const content = answer.content as { confirm?: unknown } | undefined;
  // anything but a clear yes is a no
  return { accepted: answer.action === "accept" && content?.confirm === true };
}

/**
 * Seals what a confirmation is bound to, so that the client can carry it between two rounds: authenticated with a key
 * that all processes of this hub have, bound to the method and the principal, expiring with the confirmation. The gate
 * then compares it with the call, and spends it once.
 */
export class ConfirmationSeal {
  readonly #door: HubDoor;
  readonly #codec: RequestStateCodec<ConfirmationState>;

  constructor(door: HubDoor) {
    this.#door = door;
    this.#codec = this.#codecFor(1);
  }

  async ask(asked: ConfirmationAsked, context: ServerContext): Promise<InputRequiredResult> {
    // the seal counts whole seconds; to the millisecond the gate looks at
    const seconds = Math.max(0, Math.ceil((Date.parse(asked.state.expiresAt) - Date.now()) / 1000)) + 1;
    return inputRequired({
      inputRequests: { [KEY]: inputRequired.elicit({ message: asked.message, requestedSchema: QUESTION }) },
      requestState: await this.#codecFor(seconds).mint(asked.state, context),
    });
  }

  /** For the SDK, which answers -32602 where this throws; the refusal is recorded here. */
  readonly verify = async (sealed: string, context: ServerContext): Promise<ConfirmationState> => {
    try {
      return await this.#codec.verify(sealed, context);
    } catch (cause) {
      const { caller, exchange } = identifiedIn(context);
      const error = new HubError(
        "CONFIRMATION_INVALID",
        "This confirmation was not given by this hub to this caller, or has expired.",
        { cause },
      );
      this.#door.refuse(error, { channel: "mcp", caller, traceId: exchange.traceId });
      throw error;
    }
  };

  /** Verifying does not look at `ttlSeconds`: what was sealed says itself when it expires. */
  #codecFor(ttlSeconds: number): RequestStateCodec<ConfirmationState> {
    return createRequestStateCodec<ConfirmationState>({
      key: this.#door.sealKey,
      ttlSeconds,
      bind: (context) => `${context.mcpReq.method}\0${identifiedIn(context).caller.principal.id}`,
    });
  }
}
