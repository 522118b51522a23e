import { AsyncLocalStorage } from "node:async_hooks";
import type { Server, ServerEvent, ServerEventBus } from "@modelcontextprotocol/server";
import type { Caller } from "../../action/caller.ts";
import { HubError } from "../../errors.ts";
import { answering } from "./answering.ts";
import type { Change, Changes } from "./catalogue.ts";
import type { Register } from "./serving.ts";

/** Open subscriptions of one principal. */
const MOST_OF_ONE = 20;
/** Resources that one subscription, or one session of the 2025 revisions, follows. */
const MOST_RESOURCES = 100;

/**
 * Where the SDK's `subscriptions/listen` (2026-07-28) learns what is new. Its own bus tells everybody everything; here
 * each stream follows what concerns its caller.
 */
export class CallersBus implements ServerEventBus {
  readonly #changes: Changes | undefined;
  readonly #opening = new AsyncLocalStorage<Relay>();
  readonly #openOf = new Map<string, number>();

  constructor(changes: Changes | undefined) {
    this.#changes = changes;
  }

  /**
   * Opens a stream for this caller, which is told of these resources: what subscribes within `open` does so in their
   * name, and misses nothing from then on. Throws OVERLOADED.
   */
  async listen<T>(caller: Caller, uris: readonly string[], open: () => Promise<T>): Promise<T> {
    if (this.#changes === undefined) return open();
    const { id } = caller.principal;
    if ((this.#openOf.get(id) ?? 0) >= MOST_OF_ONE)
      throw new HubError("OVERLOADED", `This principal has ${MOST_OF_ONE} subscriptions; end one first.`);
    if (uris.length > MOST_RESOURCES)
      throw new HubError("OVERLOADED", `A subscription follows at most ${MOST_RESOURCES} resources.`);
    this.#openOf.set(id, (this.#openOf.get(id) ?? 0) + 1);
    const relay = new Relay(() => this.#leave(id));
    try {
      const wanted = new Set(uris);
      relay.unfollow = await this.#changes.follow(
        caller,
        (change) => relay.tell(change),
        (uri) => wanted.has(uri),
      );
      return await this.#opening.run(relay, open);
    } finally {
      // refused, or nothing was asked for: there is no stream
      if (!relay.heard) relay.close();
    }
  }

  /** Changes come from the catalogue alone. */
  publish(): void {}

  subscribe(listener: (event: ServerEvent) => void): () => void {
    const relay = this.#opening.getStore();
    if (relay === undefined) throw new Error("cannot happen: a subscription of nobody, or to nothing");
    relay.hear(listener);
    return () => relay.close();
  }

  #leave(id: string): void {
    const left = (this.#openOf.get(id) ?? 1) - 1;
    if (left > 0) this.#openOf.set(id, left);
    else this.#openOf.delete(id);
  }
}

/** Holds what is new from when a stream begins to open until somebody hears it. */
class Relay {
  readonly #onClose: () => void;
  readonly #held: Change[] = [];
  #listener: ((event: ServerEvent) => void) | undefined;
  #open = true;
  unfollow: () => void = () => {};

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  get heard(): boolean {
    return this.#listener !== undefined;
  }

  hear(listener: (event: ServerEvent) => void): void {
    this.#listener = listener;
    // the stream's first message is that it is open, and the SDK sends that before it subscribes
    for (const change of this.#held.splice(0)) listener(eventOf(change));
  }

  tell(change: Change): void {
    if (!this.#open) return;
    if (this.#listener) this.#listener(eventOf(change));
    else this.#held.push(change);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.unfollow();
    this.#onClose();
  }
}

/** What a session of the 2025 revisions is told of: every list, and the resources it asked for. */
export class SessionChanges implements Disposable {
  readonly #followed = new Set<string>();
  #unfollow: (() => void) | undefined;
  #ended = false;

  async follow(changes: Changes, caller: Caller, server: Server, lost: (error: unknown) => void): Promise<void> {
    const unfollow = await changes.follow(
      caller,
      (change) => {
        if (change.kind === "resource" && !this.#followed.has(change.uri)) return;
        void tell(server, change).catch(lost);
      },
      (uri) => this.#followed.has(uri),
    );
    if (this.#ended) unfollow();
    else this.#unfollow = unfollow;
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
    this.#ended = true;
    this.#unfollow?.();
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
