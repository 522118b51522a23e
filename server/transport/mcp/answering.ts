import { ProtocolError, type ServerContext } from "@modelcontextprotocol/server";
import { failedMethod } from "./errors.ts";
import { identifiedIn } from "./exchange-context.ts";
import type { McpDoor } from "./mcp-door.ts";

/** Answers a request that is no tool call: what goes wrong is the protocol's own error, and the hub's faults are logged. */
export async function answering<R>({ door }: McpDoor, context: ServerContext, answer: () => Promise<R>): Promise<R> {
  try {
    return await answer();
  } catch (thrown) {
    if (thrown instanceof ProtocolError) throw thrown;
    const { error, told } = failedMethod(thrown);
    if (error.code === "INTERNAL")
      door.log.error({ err: thrown, requestId: identifiedIn(context).exchange.id }, `${context.mcpReq.method} failed`);
    throw told;
  }
}
