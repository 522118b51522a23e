import { actions } from "../../../tools/index.ts";
import type { ActionRequest, ActionResult } from "../../action/action-request.ts";
import type { Caller } from "../../action/caller.ts";
import { createRegistry, type RegisteredAction } from "../../action/registry.ts";
import type { FollowedEvent } from "../../domain/events/event-feed.ts";
import { HubError } from "../../errors.ts";
import { FakeDoor } from "../fake-door.ts";
import type { DoorCall } from "./catalogue.ts";

type Input = Readonly<Record<string, unknown>>;

/** For tests: the hub's own actions before a gate that answers what the test says, and tells what it was asked. */
export class FakeHub extends FakeDoor {
  readonly #registry = createRegistry(actions);
  readonly answers = new Map<string, (input: Input) => Input>();
  /** Names of actions that the caller is not shown, and may not call. */
  readonly hidden = new Set<string>();
  /** What `mayRead` was asked, and denies: the action and its input as JSON. */
  readonly unreadable = new Set<string>();
  readonly #followers = new Set<(events: readonly FollowedEvent[]) => void>();
  /** Makes `current` fail so many times. */
  failures = 0;

  get followers(): number {
    return this.#followers.size;
  }

  emit(...events: readonly FollowedEvent[]): void {
    for (const tell of this.#followers) tell(events);
  }

  /** The inputs that an action was called with. */
  inputsOf(action: string): unknown[] {
    return this.runs.filter((run) => run.action === action).map(({ input }) => input);
  }

  override action(name: string): RegisteredAction | undefined {
    return this.#registry.get(name);
  }

  override async visible(): Promise<readonly RegisteredAction[]> {
    const listed = this.#registry.list().filter(({ action }) => action.channels.includes("mcp"));
    return listed.filter(({ action }) => !this.hidden.has(action.name));
  }

  override async mayRead(_caller: Caller, action: string, input?: unknown): Promise<boolean> {
    return !this.hidden.has(action) && !this.unreadable.has(`${action} ${JSON.stringify(input)}`);
  }

  override async current(caller: Caller): Promise<Caller | undefined> {
    if (this.failures-- > 0) throw new HubError("STORE_UNAVAILABLE", "The database does not answer.");
    return super.current(caller);
  }

  override async follow(_accountId?: string, tell?: (events: readonly FollowedEvent[]) => void): Promise<() => void> {
    if (!tell) return () => {};
    this.#followers.add(tell);
    return () => this.#followers.delete(tell);
  }

  override async run(request: ActionRequest): Promise<ActionResult> {
    this.runs.push(request);
    const entry = this.#registry.get(request.action);
    if (!entry) throw new HubError("ACTION_UNKNOWN", "There is no such action.");
    const parsed = entry.action.input.safeParse(request.input);
    if (!parsed.success) throw new HubError("INPUT_INVALID", "This does not fit.", { path: "id" });
    if (this.hidden.has(request.action)) throw new HubError("FORBIDDEN", "No policy permits this.");
    const answer = this.answers.get(request.action);
    if (!answer) throw new HubError("NOT_FOUND", "There is none.");
    const output = answer(parsed.data);
    const receipt = { id: `${CALL}.outcome`, callId: CALL, salt: "c2FsdA==" };
    return { status: "done", output, summary: entry.action.summary(output), receipt };
  }

  /** A request of Alice's as a catalogue sees it. */
  call(): DoorCall {
    const { principal, ...rest } = this.principals.get(this.#token) as Caller;
    const caller = { ...rest, principal: { ...principal, id: ALICE } };
    return {
      caller,
      capabilities: {},
      meta: {},
      traceId: "0".repeat(32),
      signal: new AbortController().signal,
      progress: async () => {},
      log: async () => {},
    };
  }
  readonly #token = this.admit("alice");
}

const ALICE = "01890000-0000-7000-8000-00000000000a";
const CALL = "01890000-0000-7000-8000-000000000009";

/** Rows of a list action, cut into pages as the hub does it; the cursor is where the next page begins. */
export function paged(rows: readonly unknown[]): (input: Input) => Input {
  return ({ limit, cursor }) => {
    const start = Number(cursor ?? 0);
    const end = start + Number(limit);
    return { items: rows.slice(start, end), ...(end < rows.length && { next: String(end) }) };
  };
}

/** A fleet object, as far as lists look at it. */
export function objectNamed(name: string, kind = "Module") {
  const at = "2026-11-20T12:00:00.000Z";
  const frame = { labels: {}, annotations: {}, spec: {}, owner: null, updatedBy: "x" };
  return { kind, name, version: 1, createdAt: at, updatedAt: at, ...frame };
}
