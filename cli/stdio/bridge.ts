import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { HubError } from "../../server/errors.ts";
import { type HubAddress, HubConnection, HubGone, type HubReply } from "./hub-connection.ts";
import { LineWriter, lines } from "./lines.ts";
import {
  answeredBy,
  askedBy,
  calledOffBy,
  failure,
  headersOf,
  type Message,
  type RequestId,
  revisionOf,
} from "./message.ts";
import { Session } from "./session.ts";

/** More than a hub takes: it refuses with its own words what is longer than its limit. */
const LONGEST_LINE = 64 << 20;
/** Milliseconds that answers have to arrive after the client closed its end. */
const FAREWELL_MS = 1000;

export interface BridgeOptions {
  /** Where the hub is now; asked for each message. What it throws is told to the client. */
  readonly hub: () => HubAddress;
  /** Brings a hub up where none answers. What it throws is told to the client. */
  readonly revive?: () => Promise<void>;
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * MCP over standard input and output, carried to the hub's `/mcp`: messages of all revisions pass as they are. Resolves
 * when the client has closed its end and what it asked for has been answered or called off. Writes messages and nothing
 * else; a hub that is not there is told to the client, and looked for again at the next message.
 */
export async function bridge(options: BridgeOptions): Promise<void> {
  await new Bridge(options).run();
}

class Bridge {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #writer: LineWriter;
  readonly #hub: HubConnection;
  readonly #ended = new AbortController();
  readonly #session: Session;
  /** Requests without an answer yet, by their id as JSON: 1 and "1" are two. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #tasks = new Set<Promise<void>>();
  /** What a message of a 2025 revision has to wait for: those are told apart by order. */
  #before: Promise<unknown> = Promise.resolve();

  constructor({ hub, revive, input, output }: BridgeOptions) {
    this.#input = input;
    this.#output = output;
    this.#writer = new LineWriter(output);
    this.#hub = new HubConnection(hub, revive);
    this.#session = new Session(this.#hub, this.#ended.signal, (text) => this.#writer.write(text));
  }

  async run(): Promise<void> {
    // a client that is gone reads nothing: there is nobody left to tell
    this.#output.once("error", () => this.#input.destroy());
    try {
      for await (const line of lines(this.#input, LONGEST_LINE)) this.#take(line);
    } catch (error) {
      if (!this.#output.errored) throw error;
    }
    await this.#leave();
  }

  #take(line: string | undefined): void {
    if (line === "") return;
    const messages = line === undefined ? undefined : messagesIn(line);
    if (line === undefined || messages === undefined) {
      const reason = line === undefined ? `longer than ${LONGEST_LINE} bytes` : "no JSON-RPC message";
      void this.#writer.write(failure(null, "INPUT_INVALID", `This line is ${reason}.`));
      return;
    }
    const task = this.#carry(line, messages).finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  async #carry(line: string, messages: readonly Message[]): Promise<void> {
    const [message = {}] = messages;
    const calledOff = calledOffBy(message);
    const target = calledOff === undefined ? undefined : this.#waiting.get(JSON.stringify(calledOff));
    if (target?.standsAlone) return target.stop.abort();
    // whoever calls a request off wants no answer to it any more, nor to hear that there was none
    if (calledOff !== undefined) target?.ids.delete(calledOff);

    const revision = messages.length === 1 ? revisionOf(message) : undefined;
    const waiting = new Waiting(askedBy(messages), revision !== undefined);
    for (const id of waiting.ids) this.#waiting.set(JSON.stringify(id), waiting);
    const signal = AbortSignal.any([waiting.stop.signal, this.#ended.signal]);
    try {
      const reply =
        revision === undefined
          ? await this.#carryInSession(line, message, target, signal)
          : await this.#hub.send("POST", headersOf(message, revision), line, signal);
      waiting.dispatched.resolve();
      await this.#deliver(reply, waiting, message.method === "initialize");
      for (const id of waiting.ids) await this.#fail(id, waiting, noAnswer(reply));
    } catch (error) {
      if (!signal.aborted) for (const id of waiting.ids) await this.#fail(id, waiting, wordsFor(error));
    } finally {
      waiting.dispatched.resolve();
      for (const id of waiting.asked)
        if (this.#waiting.get(JSON.stringify(id)) === waiting) this.#waiting.delete(JSON.stringify(id));
    }
  }

  /** In the client's order as far as it matters: the handshake first, a cancellation after what it calls off. */
  async #carryInSession(
    line: string,
    message: Message,
    calledOff: Waiting | undefined,
    signal: AbortSignal,
  ): Promise<HubReply> {
    const before = this.#before;
    const { promise: accepted, resolve } = Promise.withResolvers<void>();
    const isRequest = message.method !== undefined && message.id !== undefined;
    if (!isRequest || message.method === "initialize") this.#before = Promise.all([before, accepted]);
    try {
      await before;
      await calledOff?.dispatched.promise;
      return message.method === "initialize"
        ? await this.#session.initialize(line, signal)
        : await this.#session.send(line, signal);
    } finally {
      resolve();
    }
  }

  async #deliver(reply: HubReply, waiting: Waiting, isHandshake: boolean): Promise<void> {
    for await (const text of reply.messages()) {
      if (reply.status >= 400) {
        await this.#passOnRefusal(text, waiting);
        continue;
      }
      for (const message of messagesIn(text) ?? []) {
        const id = answeredBy(message);
        if (id !== undefined) waiting.ids.delete(id);
        if (isHandshake) this.#session.settle(message);
      }
      await this.#writer.write(text);
    }
  }

  /** What was refused before it was read has no id; who asked must still learn of it, and nobody else. */
  async #passOnRefusal(text: string, waiting: Waiting): Promise<void> {
    const ids = [...waiting.ids];
    waiting.ids.clear();
    for (const id of ids) await this.#writer.write(JSON.stringify({ ...JSON.parse(text), id }));
  }

  async #fail(id: RequestId, waiting: Waiting, [code, sentence]: [string, string]): Promise<void> {
    waiting.ids.delete(id);
    await this.#writer.write(failure(id, code, sentence));
  }

  async #leave(): Promise<void> {
    const late = AbortSignal.timeout(FAREWELL_MS);
    if (!this.#output.destroyed && this.#tasks.size > 0)
      await Promise.race([Promise.all(this.#tasks), once(late, "abort")]);
    await this.#session.end(AbortSignal.timeout(FAREWELL_MS)).catch(() => {});
    this.#ended.abort();
    await Promise.allSettled(this.#tasks);
    this.#hub.close();
  }
}

/** A line that was sent and may want answers. */
class Waiting {
  readonly asked: readonly RequestId[];
  /** Those without an answer yet. */
  readonly ids: Set<RequestId>;
  /** Of a revision without sessions: closing its connection calls it off. */
  readonly standsAlone: boolean;
  readonly stop = new AbortController();
  /** Resolves when the hub has it. */
  readonly dispatched = Promise.withResolvers<void>();

  constructor(asked: readonly RequestId[], standsAlone: boolean) {
    this.asked = asked;
    this.ids = new Set(asked);
    this.standsAlone = standsAlone;
  }
}

function messagesIn(line: string): readonly Message[] | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const messages = Array.isArray(value) ? value : [value];
    return messages.every((message) => message instanceof Object) ? messages : undefined;
  } catch {
    return undefined;
  }
}

function wordsFor(error: unknown): [string, string] {
  if (error instanceof HubError) return [error.code, error.message];
  if (!(error instanceof HubGone)) return ["INTERNAL", `The bridge failed: ${String(error)}`];
  if (error.reached)
    return [
      "HUB_UNREACHABLE",
      `The hub at ${error.url} went away before it answered. Whether this call was carried out stands in its journal: look before you call again.`,
    ];
  return ["HUB_UNREACHABLE", `No hub answers at ${error.url}. Start it: npx countersign start`];
}

function noAnswer({ status }: HubReply): [string, string] {
  return [
    "HUB_UNREACHABLE",
    `What answers at the hub's address (HTTP ${status}) is no hub, or one that stopped in the middle. Start it: npx countersign start`,
  ];
}
