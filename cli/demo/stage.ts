import { setTimeout as pause } from "node:timers/promises";
import type { CallToolResult, Client } from "@modelcontextprotocol/client";
import * as z from "zod";
import { HubError } from "../../server/errors.ts";
import { EXIT } from "../exit-codes.ts";
import type { Narrator } from "./narrator.ts";
import type { Person, Ran } from "./person.ts";

const meta = z.object({
  "countersign/error": z.object({ code: z.string() }).optional(),
  "countersign/approval": z.object({ requestId: z.string() }).optional(),
});

const LOOK_MS = 100;
const MOST_LOOKS = 300;

export interface ToolCall {
  /** How it has to end; OK where absent. */
  readonly code?: string;
  /** Prints the structured answer too. */
  readonly output?: boolean;
  /** Lines of the answer to print. */
  readonly lines?: number;
  /** What the answer has to say: until it does, the call is made again, and the last one is told. */
  readonly until?: (output: unknown) => boolean;
}

/** Where the people and the agent of a story act: what they call is made as it is told, and has to end as the story says. */
export class Stage {
  readonly #agent: Client;
  readonly #tell: Narrator;
  readonly #signal: AbortSignal;

  /** The signal's reason is thrown between two calls. */
  constructor(agent: Client, tell: Narrator, signal: AbortSignal) {
    this.#agent = agent;
    this.#tell = tell;
    this.#signal = signal;
  }

  /** A tool call over MCP. Throws INTERNAL where it ends otherwise than told. */
  async agent(
    name: string,
    args: Record<string, unknown>,
    { code = "OK", output = false, lines, until = () => true }: ToolCall = {},
  ): Promise<CallToolResult> {
    let result = await this.#call(name, args);
    for (let looks = 1; !until(result.structuredContent) && looks < MOST_LOOKS; looks += 1) {
      await pause(LOOK_MS, undefined, { signal: this.#signal });
      result = await this.#call(name, args);
    }
    const text = result.content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
    // an error's details follow as JSON: the sentence has said it
    const sentences = text.split("\n").filter((line) => !line.startsWith("{"));
    const answer = output ? [...sentences, spaced(result.structuredContent)] : sentences;
    this.#tell.exchange({ who: "agent", call: `${name} ${spaced(args)}`, answer, ...(lines && { lines }) });
    const ended = meta.parse(result._meta)["countersign/error"]?.code ?? "OK";
    if (ended !== code) throw new HubError("INTERNAL", `${name} ended with ${ended}, not ${code}: ${text}`);
    return result;
  }

  /** A command of this program, run by a person. Throws INTERNAL where it ends otherwise than told. */
  async at(
    person: Person,
    args: readonly string[],
    { ending = EXIT.ok, lines }: { ending?: number; lines?: number } = {},
  ): Promise<Ran> {
    this.#signal.throwIfAborted();
    const ran = await person.run(...args);
    this.#tell.exchange({ who: person.name, call: ran.command, answer: ran.said, ...(lines && { lines }) });
    if (ran.exitCode !== ending)
      throw new HubError("INTERNAL", `"${ran.command}" ended with ${ran.exitCode}, not ${ending}: ${ran.said.at(-1)}`);
    return ran;
  }

  async #call(name: string, args: Record<string, unknown>): Promise<CallToolResult> {
    this.#signal.throwIfAborted();
    return this.#agent.callTool({ name, arguments: args });
  }
}

/** The request that a tool call waits for. */
export function requestOf(result: CallToolResult): string {
  return meta.parse(result._meta)["countersign/approval"]?.requestId ?? "";
}

/** The request that a command says it waits for. */
export function requestIn({ said }: Ran): string {
  return /approve (\S+)/.exec(said.join("\n"))?.[1] ?? "";
}

/** JSON on one line that can be wrapped at its spaces. */
export const spaced = (value: unknown): string => JSON.stringify(value, null, 1).replaceAll(/\n\s*/g, " ");
