import type {
  CallToolResult,
  ClientCapabilities,
  CompleteRequestParams,
  GetPromptResult,
  InputRequests,
  InputResponses,
  LoggingLevel,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Tool,
} from "@modelcontextprotocol/server";
import type { Caller } from "../../action/caller.ts";
import type { HubError } from "../../errors.ts";

/**
 * What clients find at the MCP door, whatever revision they speak. The door identifies, limits, translates, asks and
 * carries answers; a catalogue knows what there is. The hub's own (`hub-catalogue.ts`) leads to the gate and nowhere else.
 * What is absent is neither declared to clients nor answered.
 */
export interface Catalogue {
  readonly tools: ToolShelf;
  readonly resources?: ResourceShelf;
  readonly prompts?: PromptShelf;
  readonly completion?: Completion;
  readonly tasks?: TaskShelf;
  readonly changes?: Changes;
  /** Whether calls write to the client's log (`DoorCall.log`). */
  readonly logging?: boolean;
  /** By the extension's identifier (SEP-2133). The tasks extension is `tasks`. */
  readonly extensions?: Readonly<Record<string, Extension>>;
}

export interface ToolShelf {
  /** What the caller is shown, sorted by name. */
  list(caller: Caller): Promise<readonly Tool[]>;
  /** Throws HubError; ACTION_UNKNOWN where there is no such tool for this caller. */
  call(name: string, args: Readonly<Record<string, unknown>>, call: DoorCall): Promise<ToolAnswer>;
  /** The arguments that HTTP clients repeat in a header `Mcp-Param-<name>` (SEP-2243), by that name. */
  mirrored?(name: string): Readonly<Record<string, string>>;
}

export interface ResourceShelf {
  /** Throws HubError; CURSOR_INVALID. */
  list(call: DoorCall, cursor?: string): Promise<Page<Resource>>;
  templates(caller: Caller): Promise<readonly ResourceTemplateType[]>;
  /** Throws HubError; NOT_FOUND for what this caller may not know of as for what is not there. */
  read(uri: string, call: DoorCall): Promise<Answer<ReadResourceResult>>;
}

export interface PromptShelf {
  list(caller: Caller): Promise<readonly Prompt[]>;
  /** Throws HubError; NOT_FOUND, and INPUT_INVALID for a missing argument. */
  get(name: string, args: Readonly<Record<string, string>>, call: DoorCall): Promise<Answer<GetPromptResult>>;
}

export interface Completion {
  /** Values for an argument of a prompt or of a resource template, best first; at most 100 are sent. */
  complete(request: CompleteRequestParams, call: DoorCall): Promise<{ values: readonly string[]; total?: number }>;
}

/** Long work as clients of the tasks extension see it (SEP-2663); each throws NOT_FOUND for another's task as for none. */
export interface TaskShelf {
  get(id: string, caller: Caller): Promise<Task>;
  /** Asks for the end of it; a task that is over stays as it is. */
  cancel(id: string, caller: Caller): Promise<void>;
  /** Answers some or all of what an `input_required` task asks for. */
  answer(id: string, answers: InputResponses, caller: Caller): Promise<void>;
}

export interface Changes {
  /**
   * Tells of what concerns this caller, from the moment that it resolves until the function that it answers with is called.
   */
  follow(caller: Caller, listener: ChangeListener): (() => void) | Promise<() => void>;
}

export interface ChangeListener {
  readonly tell: (change: Change) => void;
  /** Whether changes of this resource are to be told. */
  readonly interest: (uri: string) => boolean;
  /** The caller may not call any more: banned, or their token is revoked or expired. Said soon after, and once. */
  readonly lost: () => void;
}

/** Clients are told that something is new, and ask for it themselves. */
export type Change = { readonly kind: "tools" | "prompts" | "resources" } | { readonly kind: "resource"; uri: string };

export interface Extension {
  readonly settings: Readonly<Record<string, unknown>>;
  /** Methods of the protocol that it adds. Each throws HubError. */
  readonly methods: Readonly<
    Record<string, (params: Readonly<Record<string, unknown>>, call: DoorCall) => Promise<object>>
  >;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** One request as a catalogue sees it. */
export interface DoorCall {
  readonly caller: Caller;
  /** What the client says it can do. No ground for a permission. */
  readonly capabilities: ClientCapabilities;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly traceId: string;
  readonly signal: AbortSignal;
  /** Untrusted: what the client answered to the questions of an earlier round. */
  readonly answers?: InputResponses;
  /** What was carried from that round: as it was given, and given to this caller by this hub. */
  readonly state?: unknown;
  /** Tells a client that wants to know how far this is; forgets it otherwise. */
  progress(done: number, total?: number, sentence?: string): Promise<void>;
  /** Writes to the log of a client that wants messages of this level; forgets it otherwise. */
  log(level: LoggingLevel, data: unknown): Promise<void>;
}

export type Answer<R> = Result<R> | Asked | Needs;
export type ToolAnswer = Answer<CallToolResult> | Started;

export interface Result<R> {
  readonly kind: "result";
  readonly result: R;
}

/** Questions to the client or its user. The same call comes again with the answers. */
export interface Asked {
  readonly kind: "asked";
  readonly questions: InputRequests;
  /** What the next round needs to know: sealed on its way, for the same caller and method, until it expires. */
  readonly carry?: { readonly state: unknown; readonly expiresAt: Date };
}

/** It takes longer: the client asks for the task. Only for clients that declare the tasks extension. */
export interface Started {
  readonly kind: "task";
  readonly task: Task;
}

/** Nothing can be done for a client that does not declare these capabilities. */
export interface Needs {
  readonly kind: "needs";
  readonly capabilities: ClientCapabilities;
}

export interface Task {
  /** Unguessable. */
  readonly id: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** A sentence for people. */
  readonly message?: string;
  /** Milliseconds from its creation for which it can be asked for; null without an end. */
  readonly keptMs: number | null;
  readonly pollMs: number;
  readonly state: TaskState;
}

export type TaskState =
  | { readonly status: "working" | "cancelled" }
  | { readonly status: "input_required"; readonly questions: InputRequests }
  /** Also where the tool reported an error of its own: `isError`. */
  | { readonly status: "completed"; readonly result: CallToolResult }
  | { readonly status: "failed"; readonly error: HubError };

/** Identifies the tasks extension (SEP-2663). */
export const TASKS = "io.modelcontextprotocol/tasks";

export function declaresTasks({ extensions }: ClientCapabilities): boolean {
  return extensions?.[TASKS] !== undefined;
}
