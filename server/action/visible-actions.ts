import type { Caller } from "./caller.ts";
import type { Gate } from "./gate.ts";
import type { RegisteredAction } from "./registry.ts";
import type { Channel } from "./risk.ts";

type Actions = readonly RegisteredAction[];

/** Lists that are kept: one a permission set and door. */
const MOST_KEPT = 512;

/**
 * What callers are shown: actions of a door that are not denied for every input, sorted by name. A list is made once for
 * all who are shown the same; a policy, a role or a principal that makes another one has another permission set, so that
 * nothing is ever to be forgotten in time. Whoever may call what is the gate's to say all the same.
 */
export class VisibleActions {
  readonly #gate: Pick<Gate, "authorizer" | "registry">;
  /** Least recently used first. */
  readonly #kept = new Map<string, Actions>();

  constructor(gate: Pick<Gate, "authorizer" | "registry">) {
    this.#gate = gate;
  }

  /** The same array for the same list. */
  async of(caller: Caller, channel: Channel): Promise<Actions> {
    const key = `${channel} ${await this.#gate.authorizer.permissionSet(caller)}`;
    const list = this.#kept.get(key) ?? (await this.#make(caller, channel));
    this.#kept.delete(key);
    this.#kept.set(key, list);
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size > MOST_KEPT) this.#kept.delete(oldest);
    return list;
  }

  async #make(caller: Caller, channel: Channel): Promise<Actions> {
    const { authorizer, registry } = this.#gate;
    const permitted = await authorizer.visible(caller);
    const list = registry.list().filter(({ action }) => action.channels.includes(channel));
    return Object.freeze(list.filter(({ action }) => permitted.has(action.name)));
  }
}
