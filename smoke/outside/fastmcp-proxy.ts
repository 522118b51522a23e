import { type ContentResult, FastMCP, jsonSchemaAdapter } from "fastmcp";
import { type Connect, clients, type OutsideClient } from "./clients.ts";
import { freePort, type HubPlace } from "./place.ts";

const connect = clients["SDK v1 over HTTP"] as Connect;
const SILENT = { debug() {}, error() {}, info() {}, log() {}, warn() {} };

/**
 * A proxy as people write them with FastMCP: a client of the hub behind, the same tools in front, on a port of its own;
 * and a client of the proxy. Throws where the proxy cannot get into the hub.
 */
export async function throughFastmcp(place: HubPlace): Promise<OutsideClient> {
  const behind = await connect(place);
  const proxy = new FastMCP({ name: "proxy", version: "1.0.0", logger: SILENT });
  const { tools } = await behind.listTools();
  for (const { name, description, inputSchema } of tools) {
    proxy.addTool({
      name,
      description: description ?? "",
      parameters: jsonSchemaAdapter(inputSchema),
      execute: async (input) =>
        (await behind.callTool({ name, arguments: input as Record<string, unknown> })) as ContentResult,
    });
  }
  const port = await freePort();
  await proxy.start({ transportType: "httpStream", httpStream: { host: "127.0.0.1", port } });
  const front = await connect({ ...place, url: `http://127.0.0.1:${port}/mcp` });
  return {
    listTools: () => front.listTools(),
    callTool: (params) => front.callTool(params),
    async close() {
      await front.close();
      await proxy.stop();
      await behind.close();
    },
  };
}
