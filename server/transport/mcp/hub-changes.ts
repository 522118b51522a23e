import { hash } from "node:crypto";
import type { Caller } from "../../action/caller.ts";
import type { FollowedEvent } from "../../domain/events/event-feed.ts";
import type { HubDoor } from "../hub-door.ts";
import type { Change, ChangeListener, Changes } from "./catalogue.ts";
import { governs, relisted, touchedBy } from "./event-resources.ts";
import { addressed } from "./hub-resources.ts";

/** Events that wait to be looked at for one follower; of more, the oldest are left out. */
const MOST_WAITING = 1_000;
const RETRY_MS = 1_000;
/** Who may not call any more is noticed by then, whatever became of the event that says so. */
const RECHECK_MS = 60_000;

/** What is new to a caller, from the account's events: they are told nothing that they could not read at that moment. */
export function hubChanges(door: HubDoor): Changes {
  return {
    async follow(caller, listener) {
      const follower = new Follower(door, caller, listener);
      const unfollow = await door.follow(caller.account.id, (events) => follower.take(events));
      follower.begin();
      return () => {
        follower.end();
        unfollow();
      };
    },
  };
}

class Follower {
  readonly #door: HubDoor;
  readonly #caller: Caller;
  readonly #listener: ChangeListener;
  #waiting: FollowedEvent[] = [];
  /** What the caller is shown may have altered since it was compared last. */
  #maybeGoverned = false;
  /** A digest of what the caller was shown last. */
  #shown: string | undefined;
  #looking = false;
  #retry: NodeJS.Timeout | undefined;
  #recheck: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(door: HubDoor, caller: Caller, listener: ChangeListener) {
    this.#door = door;
    this.#caller = caller;
    this.#listener = listener;
  }

  /** Compares with what held when the caller was identified: a little time has passed. And again, now and then. */
  begin(): void {
    const look = () => {
      this.#maybeGoverned = true;
      this.#start();
    };
    // a token expires without an event, and an event may be late
    this.#recheck = setInterval(look, RECHECK_MS).unref();
    look();
  }

  take(events: readonly FollowedEvent[]): void {
    this.#maybeGoverned ||= events.some(governs);
    const concerning = events.filter((event) => relisted(event) !== undefined || this.#interesting(event).length > 0);
    if (concerning.length === 0 && !this.#maybeGoverned) return;
    this.#waiting.push(...concerning);
    if (this.#waiting.length > MOST_WAITING) this.#waiting = this.#waiting.slice(-MOST_WAITING);
    this.#start();
  }

  end(): void {
    this.#ended = true;
    this.#waiting = [];
    clearTimeout(this.#retry);
    clearInterval(this.#recheck);
  }

  #start(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#looking) return;
    this.#looking = true;
    void this.#look().finally(() => {
      this.#looking = false;
      if (this.#retry === undefined && this.#has && !this.#ended) this.#start();
    });
  }

  get #has(): boolean {
    return this.#waiting.length > 0 || this.#maybeGoverned;
  }

  async #look(): Promise<void> {
    while (this.#has && !this.#ended) {
      const [events, maybeGoverned] = [this.#waiting, this.#maybeGoverned];
      this.#waiting = [];
      this.#maybeGoverned = false;
      try {
        for (const change of await this.#changes(events, maybeGoverned)) if (!this.#ended) this.#listener.tell(change);
      } catch (err) {
        this.#door.log.debug({ err, principal: this.#caller.principal.id }, "what is new was not told yet");
        this.#waiting = [...events, ...this.#waiting].slice(-MOST_WAITING);
        this.#maybeGoverned ||= maybeGoverned;
        if (!this.#ended) this.#retry = setTimeout(() => this.#start(), RETRY_MS).unref();
        return;
      }
    }
  }

  async #changes(events: readonly FollowedEvent[], maybeGoverned: boolean): Promise<Change[]> {
    this.#shown ??= digestOf(await this.#visible(this.#caller));
    const caller = await this.#door.current(this.#caller);
    if (!caller) {
      this.end();
      this.#listener.lost();
      return [];
    }
    const visible = await this.#visible(caller);
    const changes: Change[] = [];
    if (maybeGoverned && digestOf(visible) !== this.#shown) {
      this.#shown = digestOf(visible);
      changes.push({ kind: "tools" }, { kind: "prompts" }, { kind: "resources" });
    } else if (events.some((event) => visible.includes(relisted(event) ?? ""))) changes.push({ kind: "resources" });
    for (const path of new Set(events.flatMap((event) => this.#interesting(event)))) {
      const found = addressed(path);
      if (found && (await this.#door.mayRead(caller, found.kind.action, found.input)))
        changes.push({ kind: "resource", uri: found.uri });
    }
    return changes;
  }

  #interesting(event: FollowedEvent): string[] {
    return touchedBy(event).filter((path) => this.#listener.interest(addressed(path)?.uri ?? ""));
  }

  async #visible(caller: Caller): Promise<string[]> {
    return (await this.#door.visible(caller, "mcp")).map(({ action }) => action.name);
  }
}

function digestOf(names: readonly string[]): string {
  return hash("sha256", names.join("\n"), "base64");
}
