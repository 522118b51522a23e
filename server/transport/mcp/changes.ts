import { AsyncLocalStorage } from "node:async_hooks";
import type { Server, ServerEvent, ServerEventBus } from "@modelcontextprotocol/server";
import type { Caller } from "../../action/caller.ts";
import { HubError } from "../../errors.ts";
import { answering } from "./answering.ts";
import type { Change, Changes } from "./catalogue.ts";
import type { Register } from "./serving.ts";

/** Open subscriptions of one principal. */
const MOST_OF_ONE = 20;
/** Resources that one session of the 2025 revisions follows. */
const MOST_RESOURCES = 100;

/**
 * Where the SDK's `subscriptions/listen` (2026-07-28) learns what is new. Its own bus tells everybody everything; here
 * each stream follows what concerns its caller.
 */
export class CallersBus implements ServerEventBus {
  readonly #changes: Changes | undefined;
  readonly #callers = new AsyncLocalStorage<Caller>();
  readonly #openOf = new Map<string, number>();

  constructor(changes: Changes | undefined) {
    this.#changes = changes;
  }

  /** Opens a stream for this caller: what subscribes within `open` does so in their name. Throws OVERLOADED. */
  listen<T>(caller: Caller, open: () => T): T {
    if ((this.#openOf.get(caller.principal.id) ?? 0) >= MOST_OF_ONE)
      throw new HubError("OVERLOADED", `This principal has ${MOST_OF_ONE} subscriptions; end one first.`);
    return this.#callers.run(caller, open);
  }

  /** Changes come from the catalogue alone. */
  publish(): void {}

  subscribe(listener: (event: ServerEvent) => void): () => void {
    const caller = this.#callers.getStore();
    if (caller === undefined || this.#changes === undefined)
      throw new Error("cannot happen: a subscription of nobody, or to nothing");
    const { id } = caller.principal;
    this.#openOf.set(id, (this.#openOf.get(id) ?? 0) + 1);
    const unfollow = this.#changes.follow(caller, (change) => listener(eventOf(change)));
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      unfollow();
      const left = (this.#openOf.get(id) ?? 1) - 1;
      if (left > 0) this.#openOf.set(id, left);
      else this.#openOf.delete(id);
    };
  }
}

/** What a session of the 2025 revisions is told of: every list, and the resources it asked for. */
export class SessionChanges implements Disposable {
  readonly #followed = new Set<string>();
  readonly #unfollow: () => void;

  constructor(changes: Changes, caller: Caller, server: Server, lost: (error: unknown) => void) {
    this.#unfollow = changes.follow(caller, (change) => {
      if (change.kind === "resource" && !this.#followed.has(change.uri)) return;
      void tell(server, change).catch(lost);
    });
  }

  /** `resources/subscribe` and `unsubscribe`, which 2026-07-28 no longer has. */
  readonly register: Register = ({ at, server }) => {
    server.setRequestHandler("resources/subscribe", ({ params: { uri } }, context) =>
      answering(at, context, async () => {
        if (this.#followed.size >= MOST_RESOURCES)
          throw new HubError("OVERLOADED", `A session follows at most ${MOST_RESOURCES} resources.`);
        this.#followed.add(uri);
        return {};
      }),
    );
    server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
      this.#followed.delete(uri);
      return {};
    });
  };

  [Symbol.dispose](): void {
    this.#unfollow();
  }
}

function eventOf(change: Change): ServerEvent {
  return change.kind === "resource"
    ? { kind: "resource_updated", uri: change.uri }
    : { kind: `${change.kind}_list_changed` };
}

function tell(server: Server, change: Change): Promise<void> {
  switch (change.kind) {
    case "tools":
      return server.sendToolListChanged();
    case "prompts":
      return server.sendPromptListChanged();
    case "resources":
      return server.sendResourceListChanged();
    case "resource":
      return server.sendResourceUpdated({ uri: change.uri });
  }
}
