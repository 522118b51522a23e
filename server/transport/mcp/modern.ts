import { type CreateMcpHandlerOptions, createMcpHandler, type ServerEventBus } from "@modelcontextprotocol/server";
import type { Json } from "../../../contracts/formats/canonical-json.ts";
import { HubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import { answerHeaderMismatch } from "./errors.ts";
import { asAuthInfo, type IdentifiedExchange } from "./exchange-context.ts";
import type { McpDoor } from "./mcp-door.ts";
import { mirrorFault } from "./mirrored-arguments.ts";
import { offerOf } from "./offer.ts";
import { protocolServer } from "./protocol-server.ts";
import { Subscriptions } from "./subscriptions.ts";
import { sendResponse } from "./web-exchange.ts";

const LISTEN = "subscriptions/listen";

/** Serves the 2026-07-28 revision: each request stands alone. */
export function modernEra(at: McpDoor) {
  const offer = offerOf(at.catalogue, "modern");
  const subscriptions = new Subscriptions(at.catalogue.changes);
  const handlerWith = (options: CreateMcpHandlerOptions) =>
    createMcpHandler(
      // the header was held against the message by now
      ({ requestInfo }) =>
        protocolServer(at, offer, "modern", requestInfo?.headers.get("mcp-method") ?? undefined).server,
      { legacy: "reject", onerror: (error) => at.door.log.debug({ err: error }, "mcp"), ...options },
    );
  const handler = handlerWith({});

  async function answer(identified: IdentifiedExchange, request: Request, body: Json): Promise<void> {
    const { exchange, caller } = identified;
    const fault = headerFault(at, identified, body);
    if (fault) {
      at.door.refuse(fault, { channel: "mcp", caller, traceId: exchange.traceId });
      return answerHeaderMismatch(exchange, fault, (body as Message).id);
    }
    const given = { parsedBody: body, authInfo: asAuthInfo(identified) };
    const listening = (bus: ServerEventBus) => {
      // a handler of its own: what it ends is this stream alone
      const own = handlerWith({ bus });
      return { answer: () => own.fetch(request, given), end: () => void own.close() };
    };
    const send = async (response: Response) => {
      const sent = await sendResponse(response, exchange);
      if (!response.ok && !exchange.signal.aborted) recordRefusal(at.door, identified, sent);
    };
    if (isListen(body)) await subscriptions.listen(caller, followedIn(body), listening, send);
    else await send(await handler.fetch(request, given));
  }

  return {
    serve(identified: IdentifiedExchange, request: Request, body: Json): Promise<void> {
      const serve = () => answer(identified, request, body);
      // a stream is open as long as its client likes, and is no work
      return isListen(body) ? at.traffic.idling(identified.exchange, serve) : serve();
    },
    endStreams: () => subscriptions.endAll(),
    close: () => handler.close(),
  };
}

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: { readonly name?: unknown; readonly arguments?: Readonly<Record<string, unknown>> };
}

function isListen(body: Json): boolean {
  return (body as Message | null)?.method === LISTEN;
}

/** The resources that a subscription is about; whether it has the right form is for the SDK to say. */
function followedIn(body: Json): readonly string[] {
  const { notifications } = ((body as Message).params ?? {}) as { notifications?: { resourceSubscriptions?: unknown } };
  const uris = notifications?.resourceSubscriptions;
  return Array.isArray(uris) ? uris.filter((uri) => typeof uri === "string") : [];
}

/** The SDK compares `Mcp-Method` and `Mcp-Name` with the message; what a tool has repeated beside them, only its own tools. */
function headerFault(at: McpDoor, { exchange }: IdentifiedExchange, body: Json): HubError | undefined {
  const { method, params } = (body as Message | null) ?? {};
  if (method !== "tools/call" || typeof params?.name !== "string") return undefined;
  const mirrored = at.catalogue.tools.mirrored?.(params.name);
  return mirrored && mirrorFault(mirrored, params.arguments ?? {}, exchange.request.headers);
}

/** What the protocol layer turned away before any handler: headers that contradict the body, an unknown method. */
function recordRefusal(door: HubDoor, { caller, exchange }: IdentifiedExchange, sent: string): void {
  const { error } = JSON.parse(sent || "{}") as { error?: { message?: string } };
  const refusal = new HubError("INPUT_INVALID", error?.message ?? "The request is none of this protocol.");
  door.refuse(refusal, { channel: "mcp", caller, traceId: exchange.traceId });
}
