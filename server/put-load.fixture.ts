import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { v7 } from "uuid";
import type { HubClient } from "../cli/hub-client.ts";
import { eventually, moduleNamed, type TestHubs } from "./test-hub.ts";

export const PUT = "system_fleet_put_object";
/** A refused caller comes back after so many milliseconds. */
const PATIENCE_MS = 20;

export const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error);

/** Callers who put one fleet object after the other, each under a key of its own, until they are told to stop. */
export class PutLoad {
  /** What each call came to, by its key: `done`, or a code. */
  readonly calls = new Map<string, string>();
  readonly #hubs: TestHubs;
  readonly #agent: HubClient;
  readonly #annotations: Readonly<Record<string, string>>;
  readonly #callers: Promise<void>[];
  #stopped = false;

  /** The account's policy has to let puts run at once. `annotations` make the objects as large as they should be. */
  constructor(hubs: TestHubs, agent: HubClient, { callers = 8, annotations = {} } = {}) {
    this.#hubs = hubs;
    this.#agent = agent;
    this.#annotations = annotations;
    this.#callers = Array.from({ length: callers }, () => this.#caller());
  }

  /** Resolves when so many more calls than now have come to that. */
  async until(count: number, cameTo: (said: string) => boolean): Promise<void> {
    const found = () => [...this.calls.values()].filter(cameTo).length;
    const wanted = found() + count;
    await eventually(`${count} more such answers`, async () => (found() >= wanted ? true : undefined));
  }

  /** Resolves when every call was answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#callers);
  }

  /**
   * For when everything works again: asks for the end of every call once more, and holds what is there against what is
   * recorded. Nothing is half done: each call has had its whole effect, once and receipted, or none.
   */
  async settle(): Promise<void> {
    const ends = new Map(this.calls);
    const open = this.calls.entries().filter(([, said]) => said !== "done");
    const ask = async () => {
      for (const [key] of open) ends.set(key, await this.#endOf(key));
    };
    await Promise.all(this.#callers.map(ask));

    await nothingInFlight(this.#hubs);
    const objects = await this.#hubs.sql<{ name: string; version: number }>(
      "select name, version::int from fleet_object order by name",
    );
    const done = [...ends].filter(([, said]) => said === "done").map(([key]) => nameOf(key));
    assert.deepEqual(
      objects,
      done.sort().map((name) => ({ name, version: 1 })),
    );
    const effects = await this.#hubs.sql(
      "select from receipt where action = $1 and phase = 'outcome' and code = 'OK'",
      [PUT],
    );
    assert.equal(effects.length, objects.length);
    assert.deepEqual(await this.#hubs.sql("select from idempotency where state = 'running'"), []);
  }

  async #caller(): Promise<void> {
    while (!this.#stopped) {
      const key = v7();
      this.calls.set(key, await this.#put(key));
      if (this.calls.get(key) !== "done") await pause(PATIENCE_MS);
    }
  }

  /** The same call again: carried out now where it never was. */
  #endOf(key: string): Promise<string> {
    return eventually(`end of the call ${key}`, async () => {
      const said = await this.#put(key);
      return said === "done" || said === "AMBIGUOUS" ? said : undefined;
    });
  }

  #put(key: string): Promise<string> {
    const object = { ...moduleNamed(nameOf(key)), annotations: this.#annotations };
    return this.#agent.call(PUT, { object }, key).then(({ status }) => status, codeOf);
  }
}

/**
 * Every call that has begun has its end in the journal. A call whose refusal was to be recorded in two ways keeps a staged
 * row beside its receipt until its epoch is closed.
 */
export async function nothingInFlight(hubs: TestHubs): Promise<void> {
  const unended = `select call_id from in_flight union all
    select call_id from outcome_staged s where not exists
      (select from receipt r where r.account_id = s.account_id and r.call_id = s.call_id and r.phase = 'outcome')`;
  await eventually("end of every call", async () => ((await hubs.sql(unended)).length === 0 ? true : undefined));
}

const nameOf = (key: string): string => `m-${key}`;
