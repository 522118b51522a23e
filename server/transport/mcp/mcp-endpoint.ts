import { isInitializeRequest, isLegacyRequest } from "@modelcontextprotocol/server";
import type { Json } from "../../../contracts/formats/canonical-json.ts";
import { HubError } from "../../errors.ts";
import { bearerToken } from "../bearer-token.ts";
import type { DoorSettings } from "../door-settings.ts";
import type { Exchange } from "../exchange.ts";
import type { HubDoor } from "../hub-door.ts";
import { readJson } from "../json-body.ts";
import type { Refusals } from "../refusals.ts";
import type { Traffic } from "../traffic.ts";
import { answerFault, answerMalformedCall } from "./errors.ts";
import type { IdentifiedExchange } from "./exchange-context.ts";
import { hubCatalogue } from "./hub-catalogue.ts";
import { modernEra } from "./modern.ts";
import { faultOfRequest } from "./request-faults.ts";
import { StateSeal } from "./seal.ts";
import { Sessions } from "./sessions.ts";
import { webRequest } from "./web-exchange.ts";

/** Messages in a batch (2025-03-26 alone has them): each may be a call. */
const MOST_IN_BATCH = 20;

/** `/mcp`: revision 2026-07-28 and those of 2025 at one address, told apart by what the request says of itself. */
export class McpEndpoint {
  readonly #door: HubDoor;
  readonly #traffic: Traffic;
  readonly #refusals: Refusals;
  readonly #maxBodyBytes: number;
  readonly #modern: ReturnType<typeof modernEra>;
  readonly #sessions: Sessions;

  constructor(door: HubDoor, traffic: Traffic, refusals: Refusals, settings: DoorSettings) {
    const own = hubCatalogue(door);
    const catalogue = door.catalogue?.(own) ?? own;
    const at = { door, catalogue, traffic, seal: new StateSeal(door), confirmMs: settings.confirmMs };
    this.#door = door;
    this.#traffic = traffic;
    this.#refusals = refusals;
    this.#maxBodyBytes = settings.maxBodyBytes;
    this.#modern = modernEra(at);
    this.#sessions = new Sessions(at, settings);
  }

  /** Never throws: whatever goes wrong is answered in the protocol's own form. */
  async serve(exchange: Exchange): Promise<void> {
    let body: Json | undefined;
    try {
      const identified = await this.#identify(exchange);
      const { caller } = identified;
      const isMessage = exchange.request.method === "POST";
      if (isMessage) body = await this.#traffic.uploading(caller, () => readJson(exchange.request, this.#maxBodyBytes));
      this.#traffic.admit(exchange, caller);
      if (!isMessage) return await this.#serveSession(identified);
      await this.#serveMessage(identified, body);
    } catch (thrown) {
      const error = this.#refusals.record(exchange, thrown, "mcp");
      answerFault(exchange, error, idOf(body));
      if (error.code === "INTERNAL") this.#door.log.error({ err: thrown, requestId: exchange.id }, "a request failed");
    }
  }

  /** Ends the streams that clients listen on, and resolves when that is said on them; what is being worked on goes on. */
  endStreams(): Promise<void> {
    return this.#modern.endStreams();
  }

  async close(): Promise<void> {
    await Promise.all([this.#modern.close(), this.#sessions.close()]);
  }

  async #identify(exchange: Exchange): Promise<IdentifiedExchange> {
    const token = bearerToken(exchange.request.headers.authorization);
    const caller = await this.#refusals.identify(exchange, "mcp");
    return { exchange, caller, token };
  }

  async #serveMessage(identified: IdentifiedExchange, body: Json | undefined): Promise<void> {
    const { exchange } = identified;
    if (body === undefined) throw new HubError("INPUT_INVALID", "The body is empty.", { path: "" });
    exchange.subject = subjectOf(body);
    exchange.answersSeveral = Array.isArray(body);
    await this.#refusals.countMore(exchange, Array.isArray(body) ? body.length - 1 : 0);
    const fault = faultIn(body);
    if (fault) {
      this.#refusals.record(exchange, fault.error, "mcp");
      return answerMalformedCall(exchange, fault.error, fault.id);
    }
    const request = webRequest(exchange);
    if (!(await isLegacyRequest(request, body))) return this.#modern.serve(identified, request, body);
    const session = sessionId(exchange);
    if (session !== undefined) return this.#sessions.serve(identified, session, body);
    if (isInitializeRequest(body)) return this.#sessions.open(identified, body);
    throw new HubError(
      "INPUT_INVALID",
      "This request names no protocol revision and no session: begin with initialize, or speak 2026-07-28.",
      { path: "" },
    );
  }

  /** GET opens a session's stream, DELETE ends the session; neither exists without one (2026-07-28 has none). */
  async #serveSession(identified: IdentifiedExchange): Promise<void> {
    const { exchange } = identified;
    const { method } = exchange.request;
    const session = sessionId(exchange);
    if (session === undefined || (method !== "GET" && method !== "DELETE"))
      throw new HubError("METHOD_NOT_ALLOWED", "Messages are sent by POST.", { details: { allow: "POST" } });
    // a stream is open as long as its session, and is no work
    await this.#traffic.idling(exchange, () => this.#sessions.serve(identified, session));
  }
}

function sessionId({ request }: Exchange): string | undefined {
  const id = request.headers["mcp-session-id"];
  return Array.isArray(id) ? id[0] : id;
}

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

function messagesIn(body: Json): readonly Message[] {
  return (Array.isArray(body) ? body : [body]).filter((message) => message instanceof Object) as readonly Message[];
}

function idOf(body: Json | undefined): string | number | null {
  const id = body instanceof Object ? (body as Message).id : undefined;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

/** The first request in a body that is none. Throws INPUT_INVALID for a batch too long. */
function faultIn(body: Json): { error: HubError; id: string | number } | undefined {
  if (Array.isArray(body) && body.length > MOST_IN_BATCH)
    throw new HubError("INPUT_INVALID", `A batch has at most ${MOST_IN_BATCH} messages.`, { path: "" });
  for (const message of messagesIn(body)) {
    const id = idOf(message as Json);
    const error = id === null ? undefined : faultOfRequest(message.method, message.params);
    if (error && id !== null) return { error, id };
  }
  return undefined;
}

/** For the log. */
function subjectOf(body: Json): string {
  const [{ method, params } = {}] = messagesIn(body);
  const name = params instanceof Object ? (params as { name?: unknown }).name : undefined;
  return [method, name]
    .filter((part) => typeof part === "string")
    .join(" ")
    .slice(0, 120);
}
