import type { ActionResult } from "../action/action-request.ts";
import { HubError, toHubError } from "../errors.ts";
import type { Exchange } from "./exchange.ts";
import type { HubDoor } from "./hub-door.ts";
import { readJson } from "./json-body.ts";
import { answerProblem } from "./problem.ts";
import type { Refusals } from "./refusals.ts";
import type { Traffic } from "./traffic.ts";

const PATH = "/v1/actions/";

/**
 * `POST /v1/actions/{name}`: an action without MCP, for programs and the command line. The body is the input; the answer
 * is 200 with the output, 202 with what has to be approved first, or a problem (RFC 9457). Nobody is asked to confirm
 * here: such a call becomes a request for approval. `Idempotency-Key` and `Countersign-Run-Id` are optional.
 */
export class ActionEndpoint {
  readonly #door: HubDoor;
  readonly #traffic: Traffic;
  readonly #refusals: Refusals;
  readonly #maxBodyBytes: number;

  constructor(
    door: HubDoor,
    traffic: Traffic,
    refusals: Refusals,
    { maxBodyBytes }: { readonly maxBodyBytes: number },
  ) {
    this.#door = door;
    this.#traffic = traffic;
    this.#refusals = refusals;
    this.#maxBodyBytes = maxBodyBytes;
  }

  static serves(path: string): boolean {
    return path.startsWith(PATH);
  }

  /** Never throws. */
  async serve(exchange: Exchange): Promise<void> {
    try {
      const result = await this.#call(exchange);
      exchange.answer(result.status === "pending" ? 202 : 200, result);
    } catch (thrown) {
      const error = toHubError(thrown);
      if (error.code === "INTERNAL") this.#door.log.error({ err: thrown, requestId: exchange.id }, "a call failed");
      answerProblem(exchange, error);
    }
  }

  async #call(exchange: Exchange): Promise<ActionResult> {
    const { request, traceId, signal } = exchange;
    const { input, action } = await this.#read(exchange);
    const { "idempotency-key": key, "countersign-run-id": runId } = request.headers;
    const { caller } = exchange;
    if (caller === undefined) throw new Error("cannot happen: a call that nobody identified");
    const result = await this.#traffic.running(caller, () =>
      this.#door.run({
        action,
        input,
        caller,
        channel: "http",
        canConfirm: false,
        traceId,
        signal,
        ...(typeof key === "string" && { idempotencyKey: unquoted(key) }),
        ...(typeof runId === "string" && { runId }),
      }),
    );
    if (result.status === "confirm")
      throw new Error("cannot happen: a client that cannot be asked was asked to confirm");
    return result;
  }

  /** What comes before the gate; what is refused here is recorded here. */
  async #read(exchange: Exchange): Promise<{ action: string; input: unknown }> {
    const { request } = exchange;
    try {
      if (request.method !== "POST")
        throw new HubError("METHOD_NOT_ALLOWED", "Actions are called by POST.", { details: { allow: "POST" } });
      const caller = await this.#refusals.identify(exchange, "http");
      const body = await this.#traffic.uploading(caller, () => readJson(request, this.#maxBodyBytes));
      this.#traffic.admit(exchange, caller);
      const input = body ?? {};
      const action = decoded(exchange.path.slice(PATH.length));
      exchange.subject = action.slice(0, 120);
      return { action, input };
    } catch (thrown) {
      throw this.#refusals.record(exchange, thrown, "http");
    }
  }
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw new HubError("INPUT_INVALID", "The action's name is not a well-formed part of an address.", { path: "name" });
  }
}

/** The IETF draft of this header has a quoted string, everybody sends a bare one: both are read. */
function unquoted(key: string): string {
  return /^"(.*)"$/.exec(key)?.[1] ?? key;
}
