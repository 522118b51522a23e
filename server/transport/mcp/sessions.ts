import { randomUUID } from "node:crypto";
import { NodeStreamableHTTPServerTransport } from "@modelcontextprotocol/node";
import type { Json } from "../../../contracts/formats/canonical-json.ts";
import { HubError } from "../../errors.ts";
import type { DoorSettings } from "../door-settings.ts";
import { SessionChanges } from "./changes.ts";
import { asAuthInfo, type IdentifiedExchange } from "./exchange-context.ts";
import type { McpDoor } from "./mcp-door.ts";
import { type Offer, offerOf } from "./offer.ts";
import { protocolServer } from "./protocol-server.ts";

interface Session {
  readonly id: string;
  readonly principalId: string;
  readonly transport: NodeStreamableHTTPServerTransport;
  lastUsed: number;
  /** Exchanges that are open now, a waiting stream included. */
  open: number;
}

type SessionLimits = Pick<DoorSettings, "maxSessions" | "maxSessionsPerPrincipal" | "sessionIdleMs">;

/**
 * The 2025 revisions keep a session: it lives in this process and belongs to the principal that opened it. Losing the
 * process ends it; the client opens another.
 */
export class Sessions {
  readonly #at: McpDoor;
  readonly #offer: Offer;
  readonly #limits: SessionLimits;
  /** In order of last use. */
  readonly #sessions = new Map<string, Session>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(at: McpDoor, limits: SessionLimits) {
    this.#at = at;
    this.#offer = offerOf(at.catalogue, "legacy");
    this.#limits = limits;
    this.#sweeper = setInterval(() => this.#endIdle(), Math.max(50, limits.sessionIdleMs / 4)).unref();
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** A request of an open session. Throws NOT_FOUND: for another principal's session as for none. */
  async serve(identified: IdentifiedExchange, id: string, body?: Json): Promise<void> {
    const session = this.#sessions.get(id);
    if (session?.principalId !== identified.caller.principal.id)
      throw new HubError("NOT_FOUND", "There is no such session; open one with initialize.");
    await this.#handle(session, identified, body);
  }

  /** An `initialize`. Throws OVERLOADED. */
  async open(identified: IdentifiedExchange, body: Json): Promise<void> {
    const principalId = identified.caller.principal.id;
    this.#makeRoom(principalId);
    const id = randomUUID();
    const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: () => id });
    const session: Session = { id, principalId, transport, lastUsed: Date.now(), open: 1 };
    // its place is taken before anything is waited for, so that no more are opened than there is room for
    this.#sessions.set(id, session);
    try {
      await this.#connect(identified, session);
    } catch (error) {
      this.#sessions.delete(id);
      throw error;
    }
    session.open--;
    await this.#handle(session, identified, body);
    // a handshake that failed leaves nothing behind
    if (transport.sessionId === undefined) await transport.close();
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([...this.#sessions.values()].map(({ transport }) => transport.close()));
  }

  async #connect({ caller }: IdentifiedExchange, { id, transport }: Session): Promise<void> {
    const serving = protocolServer(this.#at, this.#offer, "legacy");
    const { server } = serving;
    const told = (error: unknown) => this.#at.door.log.debug({ err: error, session: id }, "mcp");
    const changes = new SessionChanges();
    server.onerror = told;
    server.onclose = () => {
      changes[Symbol.dispose]();
      this.#sessions.delete(id);
    };
    const { changes: news, resources } = this.#at.catalogue;
    if (news && resources) changes.register(serving);
    const life = { isConnected: false, isLost: false };
    const lost = () => {
      this.#at.door.log.debug(
        { session: id, principal: caller.principal.id },
        "a session's caller may not call any more",
      );
      life.isLost = true;
      if (life.isConnected) void transport.close();
    };
    if (news) await changes.follow(news, { caller, server, report: told, lost });
    await server.connect(transport);
    life.isConnected = true;
    if (!life.isLost) return;
    await transport.close();
    throw new HubError("UNAUTHENTICATED", "This caller may not call any more.");
  }

  async #handle(session: Session, identified: IdentifiedExchange, body: Json | undefined): Promise<void> {
    const { exchange } = identified;
    this.#touch(session);
    session.open++;
    exchange.response.once("close", () => {
      session.open--;
      this.#touch(session);
    });
    await session.transport.handleRequest(
      Object.assign(exchange.request, { auth: asAuthInfo(identified) }),
      exchange.response,
      body,
    );
  }

  #touch(session: Session): void {
    session.lastUsed = Date.now();
    if (this.#sessions.delete(session.id)) this.#sessions.set(session.id, session);
  }

  /** Who opens too many loses the one they used least; nobody loses theirs to another. */
  #makeRoom(principalId: string): void {
    const own = [...this.#sessions.values()].filter((session) => session.principalId === principalId);
    if (own.length >= this.#limits.maxSessionsPerPrincipal) {
      const idle = own.find((session) => session.open === 0);
      if (!idle) throw new HubError("OVERLOADED", `This principal has ${own.length} busy sessions; close one first.`);
      void idle.transport.close();
    }
    if (this.#sessions.size >= this.#limits.maxSessions)
      throw new HubError(
        "OVERLOADED",
        "This hub keeps as many sessions as it can; call again in a moment, or speak revision 2026-07-28.",
      );
  }

  #endIdle(): void {
    const deadline = Date.now() - this.#limits.sessionIdleMs;
    for (const session of this.#sessions.values()) {
      if (session.open === 0 && session.lastUsed < deadline) void session.transport.close();
    }
  }
}
