import { type CallToolResult, type InputRequiredResult, ProtocolError } from "@modelcontextprotocol/server";
import { toHubError } from "../../errors.ts";
import { answering } from "./answering.ts";
import { declaresTasks, type Result, type Started, type ToolShelf } from "./catalogue.ts";
import { malformedCall, missingCapabilities } from "./errors.ts";
import { identifiedIn } from "./exchange-context.ts";
import { LIST_CACHE, type Register, type Serving } from "./serving.ts";
import { startedTask, TASKS_NEEDED } from "./task-view.ts";
import { errorResult, withOutputInText, withoutLinks } from "./tool-result.ts";

/** The first revision whose clients know links in results; dates compare as texts. */
const LINKS_SINCE = "2025-06-18";

export function toolMethods(tools: ToolShelf): Readonly<Record<string, Register>> {
  return {
    "tools/list": ({ at, server }) =>
      server.setRequestHandler("tools/list", (_request, context) =>
        answering(at, context, async () => {
          const { caller } = identifiedIn(context);
          return { tools: [...(await tools.list(caller))], ...LIST_CACHE };
        }),
      ),
    "tools/call": (serving) => {
      const { at, server, rounds } = serving;
      server.setRequestHandler("tools/call", async ({ params }, context) => {
        try {
          const answered = await rounds(context, server.getClientCapabilities(), (call) =>
            tools.call(params.name, params.arguments ?? {}, call),
          );
          return answered.kind === "round" ? answered.result : resultOf(answered, serving);
        } catch (thrown) {
          if (thrown instanceof ProtocolError) throw thrown;
          const error = toHubError(thrown);
          if (error.code === "ACTION_UNKNOWN") throw malformedCall(error);
          if (error.code === "INTERNAL")
            at.door.log.error({ err: thrown, requestId: identifiedIn(context).exchange.id }, "a call failed");
          return errorResult(error);
        }
      });
    },
  };
}

function resultOf(
  answered: Result<CallToolResult> | Started,
  { server, era }: Serving,
): CallToolResult | InputRequiredResult {
  if (answered.kind === "task") {
    if (!declaresTasks(server.getClientCapabilities() ?? {})) throw missingCapabilities(TASKS_NEEDED);
    return startedTask(answered.task);
  }
  if (era === "modern") return answered.result;
  const { result } = answered;
  const revision = server.getNegotiatedProtocolVersion() ?? "";
  // many clients of the 2025 revisions show their model texts alone (MCP 2025-06-18, tools)
  return withOutputInText(revision < LINKS_SINCE ? withoutLinks(result) : result);
}
