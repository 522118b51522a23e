import { acceptedContent, inputRequired } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Caller } from "../../action/caller.ts";
import { HubError } from "../../errors.ts";
import { DEFAULT_DOOR_SETTINGS } from "../door-settings.ts";
import { FakeDoor } from "../fake-door.ts";
import { type HttpDoor, openHttpDoor } from "../http-server.ts";
import type { Asked, Catalogue, Change, ChangeListener, DoorCall, Task } from "./catalogue.ts";

/** For tests: something on every shelf beside the fake hub's own tools, and what it was asked. */
export class FakeCatalogue {
  readonly calls: DoorCall[] = [];
  readonly tasks = new Map<string, { owner: string; task: Task }>();
  readonly #listeners = new Set<ChangeListener & { caller: Caller }>();
  /** Runs while somebody begins to follow. */
  whileFollowing: (tell: (change: Change) => void) => void = () => {};
  /** Runs when somebody follows, before they know. */
  afterFollowing: () => void = () => {};
  #followed = Promise.withResolvers<void>();

  /** Tells what concerns the principal of this name. */
  tell(name: string, change: Change): void {
    for (const { caller, tell } of this.#listeners) if (caller.principal.name === name) tell(change);
  }

  /** The principal of this name may not call any more. */
  lose(name: string): void {
    for (const { caller, lost } of this.#listeners) if (caller.principal.name === name) lost();
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Resolves when the next one follows. */
  followed(): Promise<void> {
    this.#followed = Promise.withResolvers<void>();
    return this.#followed.promise;
  }

  readonly over = (own: Catalogue): Catalogue => ({
    tools: {
      list: (caller) => own.tools.list(caller),
      call: async (name, args, call) => {
        this.calls.push(call);
        if (name === "system_test_two_questions") return twoQuestions(call);
        if (name === "system_test_endless") return question("again", "Again?");
        if (name === "system_test_task") return { kind: "task", task: this.#start(call.caller) };
        return own.tools.call(name, args, call);
      },
    },
    resources: {
      list: async (_caller, cursor) =>
        cursor === undefined
          ? { items: [{ uri: "fake://one", name: "one" }], next: "2" }
          : { items: [{ uri: "fake://two", name: "two" }] },
      templates: async () => [{ uriTemplate: "fake://{name}", name: "any" }],
      read: async (uri, { caller }) => {
        if (uri === "fake://broken") throw new TypeError("the inside of the hub");
        if (uri !== "fake://one") throw new HubError("NOT_FOUND", "There is no such resource.");
        return { kind: "result", result: { contents: [{ uri, text: `for ${caller.principal.name}` }] } };
      },
    },
    prompts: {
      list: async () => [{ name: "greet", arguments: [{ name: "whom", required: true }] }],
      get: async (name, { whom }) => {
        if (name !== "greet") throw new HubError("NOT_FOUND", "There is no such prompt.");
        if (whom === undefined) throw new HubError("INPUT_INVALID", "Whom?", { path: "arguments.whom" });
        return {
          kind: "result",
          result: { messages: [{ role: "user", content: { type: "text", text: `Greet ${whom}` } }] },
        };
      },
    },
    completion: {
      complete: async ({ argument: { value } }) => ({
        values: Array.from({ length: 150 }, (_, index) => `${value}${index}`),
      }),
    },
    tasks: {
      get: async (id, caller) => this.#find(id, caller),
      cancel: async (id, caller) => {
        const task = this.#find(id, caller);
        this.#keep(caller, { ...task, state: { status: "cancelled" } });
      },
      answer: async (id, answers, caller) => {
        const text = JSON.stringify(answers);
        const task = this.#find(id, caller);
        const result = { content: [{ type: "text" as const, text }] };
        this.#keep(caller, { ...task, state: { status: "completed", result } });
      },
    },
    changes: {
      follow: async (caller, given) => {
        await Promise.resolve();
        this.whileFollowing(given.tell);
        const listener = { caller, ...given };
        this.#listeners.add(listener);
        this.#followed.resolve();
        this.afterFollowing();
        return () => this.#listeners.delete(listener);
      },
    },
  });

  #start(caller: Caller): Task {
    const task: Task = {
      id: `task-${this.tasks.size}`,
      createdAt: new Date("2026-11-20T12:00:00Z"),
      updatedAt: new Date("2026-11-20T12:00:00Z"),
      message: "waiting for 2 of 2 approvals",
      keptMs: 60_000,
      pollMs: 1000,
      state: { status: "input_required", questions: question("why", "Why?").questions },
    };
    this.#keep(caller, task);
    return task;
  }

  #keep(caller: Caller, task: Task): void {
    this.tasks.set(task.id, { owner: caller.principal.id, task });
  }

  #find(id: string, caller: Caller): Task {
    const kept = this.tasks.get(id);
    if (kept?.owner !== caller.principal.id) throw new HubError("NOT_FOUND", "There is no such task.");
    return kept.task;
  }
}

/** A real door before a fake hub with a fake catalogue. */
export async function openCatalogueDoor() {
  const catalogue = new FakeCatalogue();
  const hub = Object.assign(new FakeDoor(), { catalogue: catalogue.over });
  const http: HttpDoor = await openHttpDoor(hub, { ...DEFAULT_DOOR_SETTINGS, drainMs: 2000 });
  return {
    catalogue,
    hub,
    url: new URL(`${http.url}/mcp`),
    token: hub.admit("alice"),
    [Symbol.asyncDispose]: () => http.drain(),
  };
}

function question(key: string, message: string): Asked {
  const requestedSchema = {
    type: "object" as const,
    properties: { text: { type: "string" as const } },
    required: ["text"],
  };
  return { kind: "asked", questions: { [key]: inputRequired.elicit({ message, requestedSchema }) } };
}

/** The second question knows the answer to the first by what was carried. */
function twoQuestions({ answers, state }: DoorCall) {
  const said = (key: string) => acceptedContent(answers, key, z.object({ text: z.string() }))?.text;
  const first = said("first");
  const second = said("second");
  if (second !== undefined && typeof state === "string") {
    const content = [{ type: "text" as const, text: `${state} ${second}` }];
    return { kind: "result" as const, result: { content } };
  }
  if (first === undefined) return question("first", "First?");
  const expiresAt = new Date(Date.now() + 60_000);
  return { ...question("second", "Second?"), carry: { state: first, expiresAt } };
}
