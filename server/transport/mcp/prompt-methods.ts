import { answering } from "./answering.ts";
import type { Completion, PromptShelf } from "./catalogue.ts";
import { doorCall } from "./door-call.ts";
import { identifiedIn } from "./exchange-context.ts";
import { LIST_CACHE, type Register } from "./serving.ts";

/** MCP 2025-06-18, completion: a response has no more. */
const MOST_COMPLETIONS = 100;

export function promptMethods(prompts: PromptShelf): Readonly<Record<string, Register>> {
  return {
    "prompts/list": ({ at, server }) =>
      server.setRequestHandler("prompts/list", (_request, context) =>
        answering(at, context, async () => {
          const { caller } = identifiedIn(context);
          return { prompts: [...(await prompts.list(caller))], ...LIST_CACHE };
        }),
      ),
    "prompts/get": ({ at, server, rounds }) =>
      server.setRequestHandler("prompts/get", ({ params }, context) =>
        answering(at, context, async () => {
          const answered = await rounds(context, server.getClientCapabilities(), (call) =>
            prompts.get(params.name, params.arguments ?? {}, call),
          );
          return answered.result;
        }),
      ),
  };
}

export function completionMethods(completion: Completion): Readonly<Record<string, Register>> {
  return {
    "completion/complete": ({ at, server }) =>
      server.setRequestHandler("completion/complete", ({ params }, context) =>
        answering(at, context, async () => {
          const call = doorCall(context, server.getClientCapabilities());
          const completed = await at.traffic.running(call.caller, () => completion.complete(params, call));
          const { values, total = values.length } = completed;
          const sent = values.slice(0, MOST_COMPLETIONS);
          return { completion: { values: sent, total, hasMore: total > sent.length } };
        }),
      ),
  };
}
