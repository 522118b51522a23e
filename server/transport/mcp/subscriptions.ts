import type { ServerEvent, ServerEventBus } from "@modelcontextprotocol/server";
import type { Caller } from "../../action/caller.ts";
import { HubError } from "../../errors.ts";
import type { Change, Changes } from "./catalogue.ts";

/** Open subscriptions of one principal, and in all. */
const MOST_OF_ONE = 20;
const MOST = 1_000;
/** Resources that one subscription, or one session of the 2025 revisions, follows. */
export const MOST_RESOURCES = 100;

/** What answers one `subscriptions/listen`, and ends its stream with the last message that the protocol has for it. */
export interface Listening {
  readonly answer: () => Promise<Response>;
  readonly end: () => void;
}

/**
 * The streams of `subscriptions/listen` (2026-07-28). The SDK's own bus tells everybody everything; here each stream has
 * a bus of its own, which follows what concerns its caller, and ends when that caller may not call any more.
 */
export class Subscriptions {
  readonly #changes: Changes | undefined;
  readonly #open = new Set<Stream>();
  #ended = false;

  constructor(changes: Changes | undefined) {
    this.#changes = changes;
  }

  /**
   * Opens a stream for this caller, which is told of these resources and misses nothing from then on; `send` sends it and
   * resolves when it is over. Throws OVERLOADED, and what following throws.
   */
  async listen<T>(
    caller: Caller,
    uris: readonly string[],
    listening: (bus: ServerEventBus) => Listening,
    send: (response: Response) => Promise<T>,
  ): Promise<T> {
    this.#refuseMore(caller, uris);
    const stream = new Stream(caller.principal.id, () => this.#open.delete(stream));
    this.#open.add(stream);
    const { answer, end } = listening(stream);
    stream.onEnd = end;
    try {
      const sending = this.#openStream(stream, caller, uris, answer).then(send);
      stream.sent = sending.catch(() => {});
      return await sending;
    } finally {
      stream.close();
    }
  }

  /** Ends all streams: their clients look elsewhere. Resolves when what was left to say on them is sent. */
  async endAll(): Promise<void> {
    this.#ended = true;
    const open = [...this.#open];
    for (const stream of open) stream.end();
    await Promise.all(open.map(({ sent }) => sent));
  }

  async #openStream(
    stream: Stream,
    caller: Caller,
    uris: readonly string[],
    answer: Listening["answer"],
  ): Promise<Response> {
    const wanted = new Set(uris);
    const listener = {
      tell: (change: Change) => stream.tell(change),
      interest: (uri: string) => wanted.has(uri),
      lost: () => stream.end(),
    };
    if (this.#changes) stream.unfollow = await this.#changes.follow(caller, listener);
    const response = await answer();
    if (this.#ended) stream.end();
    return response;
  }

  #refuseMore({ principal: { id } }: Caller, uris: readonly string[]): void {
    if ([...this.#open].filter(({ principalId }) => principalId === id).length >= MOST_OF_ONE)
      throw new HubError("OVERLOADED", `This principal has ${MOST_OF_ONE} subscriptions; end one first.`);
    if (this.#open.size >= MOST) throw new HubError("OVERLOADED", "This hub keeps as many subscriptions as it can.");
    if (uris.length > MOST_RESOURCES)
      throw new HubError("OVERLOADED", `A subscription follows at most ${MOST_RESOURCES} resources.`);
  }
}

/** The bus of one stream. Holds what is new from when the stream begins to open until the SDK hears it. */
class Stream implements ServerEventBus {
  readonly principalId: string;
  readonly #onClose: () => void;
  readonly #held: Change[] = [];
  #listener: ((event: ServerEvent) => void) | undefined;
  #open = true;
  #over = false;
  unfollow: () => void = () => {};
  onEnd: () => void = () => {};
  /** Resolves when nothing is left to send. */
  sent: Promise<unknown> = Promise.resolve();

  constructor(principalId: string, onClose: () => void) {
    this.principalId = principalId;
    this.#onClose = onClose;
  }

  /** Changes come from the catalogue alone. */
  publish(): void {}

  subscribe(listener: (event: ServerEvent) => void): () => void {
    this.#listener = listener;
    // the stream's first message is that it is open, and the SDK sends that before it subscribes
    for (const change of this.#held.splice(0)) listener(eventOf(change));
    // and keeps the stream for itself until this returns
    if (this.#over) queueMicrotask(() => this.onEnd());
    return () => this.close();
  }

  /** Now, or as soon as it has said that it is open. */
  end(): void {
    this.#over = true;
    if (this.#listener) this.onEnd();
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

function eventOf(change: Change): ServerEvent {
  return change.kind === "resource"
    ? { kind: "resource_updated", uri: change.uri }
    : { kind: `${change.kind}_list_changed` };
}
