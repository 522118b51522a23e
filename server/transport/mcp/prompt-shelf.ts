import { HubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import type { DoorCall, PromptShelf } from "./catalogue.ts";
import type { Arguments, HubPrompt } from "./prompts/hub-prompt.ts";
import { hubPromptList } from "./prompts/hub-prompts.ts";

/** Things that people often ask of a chat about this hub, each with what it needs to know. */
export function hubPrompts(door: HubDoor): PromptShelf {
  const offered = hubPromptList.filter(({ reads }) => door.action(reads) !== undefined);
  const shownTo = async (caller: DoorCall["caller"]) => {
    const shown = new Set((await door.visible(caller, "mcp")).map(({ action }) => action.name));
    return offered.filter(({ reads }) => shown.has(reads));
  };
  return {
    list: async (caller) =>
      (await shownTo(caller)).map(({ name, title, description, args }) => ({
        name,
        title,
        description,
        arguments: Object.entries(args).map(([arg, { description: what }]) => ({
          name: arg,
          description: what,
          required: true,
        })),
      })),

    async get(name, args, call) {
      const prompt = (await shownTo(call.caller)).find((offer) => offer.name === name);
      if (!prompt) throw new HubError("NOT_FOUND", "There is no such prompt.");
      refuseOthers(prompt, args);
      const messages = await prompt.messages(door, call, args);
      return { kind: "result", result: { description: prompt.description, messages: [...messages] } };
    },
  };
}

/** Every argument that it has, none that it has not. */
function refuseOthers({ args: known }: HubPrompt, args: Arguments): void {
  for (const name of Object.keys(args))
    if (!Object.hasOwn(known, name)) throw bad(name, `it has ${Object.keys(known).join(" and ") || "none"}`);
  for (const [name, { most }] of Object.entries(known)) {
    const value = args[name]?.trim();
    if (value === undefined || value === "") throw bad(name, "it is needed");
    if (value.length > most) throw bad(name, `${most} characters at most`);
  }
}

function bad(name: string, why: string): HubError {
  return new HubError("INPUT_INVALID", `The argument ${JSON.stringify(name.slice(0, 40))} does not fit: ${why}.`, {
    path: `arguments.${name.slice(0, 40)}`,
  });
}
