import type { PromptMessage } from "@modelcontextprotocol/server";
import type { HubDoor } from "../../hub-door.ts";
import type { DoorCall } from "../catalogue.ts";
import type { ValueSource } from "../value-sources.ts";

export type Arguments = Readonly<Record<string, string>>;

export interface HubPrompt {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly args: Readonly<Record<string, PromptArgument>>;
  /** It is shown to whom this tool is: without it, it has nothing to say. */
  readonly reads: string;
  /** What is true now, read in the caller's name, and what to do with it. Throws what the gate throws, INPUT_INVALID. */
  readonly messages: (door: HubDoor, call: DoorCall, args: Arguments) => Promise<readonly PromptMessage[]>;
}

export interface PromptArgument {
  readonly description: string;
  /** Characters at most. */
  readonly most: number;
  readonly values?: ValueSource;
}
