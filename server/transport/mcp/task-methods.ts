import type { InputResponses, ServerContext } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Caller } from "../../action/caller.ts";
import { answering } from "./answering.ts";
import { declaresTasks, type TaskShelf } from "./catalogue.ts";
import { missingCapabilities } from "./errors.ts";
import { identifiedIn } from "./exchange-context.ts";
import type { Register, Serving } from "./serving.ts";
import { detailedTask, TASKS_NEEDED } from "./task-view.ts";

const taskId = z.string().min(1).max(200);
const responses = z.record(z.string(), z.unknown());

/** Of the tasks extension, which begins with 2026-07-28; each request has to declare it. */
export function taskMethods(tasks: TaskShelf): Readonly<Record<string, Register>> {
  return {
    "tasks/get": (serving) =>
      serving.server.setRequestHandler("tasks/get", { params: z.looseObject({ taskId }) }, (params, context) =>
        forTasks(serving, context, async (caller) => detailedTask(await tasks.get(params.taskId, caller))),
      ),
    "tasks/cancel": (serving) =>
      serving.server.setRequestHandler("tasks/cancel", { params: z.looseObject({ taskId }) }, (params, context) =>
        forTasks(serving, context, async (caller) => {
          await tasks.cancel(params.taskId, caller);
          return {};
        }),
      ),
    "tasks/update": (serving) =>
      serving.server.setRequestHandler(
        "tasks/update",
        { params: z.looseObject({ taskId, inputResponses: responses.optional() }) },
        (params, context) =>
          forTasks(serving, context, async (caller) => {
            const answers = context.mcpReq.inputResponses ?? params.inputResponses ?? {};
            await tasks.answer(params.taskId, answers as InputResponses, caller);
            return {};
          }),
      ),
  };
}

function forTasks<R>(
  { at, server }: Serving,
  context: ServerContext,
  answer: (caller: Caller) => Promise<R>,
): Promise<R> {
  return answering(at, context, () => {
    if (!declaresTasks(server.getClientCapabilities() ?? {})) throw missingCapabilities(TASKS_NEEDED);
    return answer(identifiedIn(context).caller);
  });
}
