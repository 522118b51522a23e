import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OldStdioTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as OldHttpTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport as OldTransport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { COMMAND } from "./hub.ts";
import type { HubPlace } from "./place.ts";

// biome-ignore lint/suspicious/noExplicitAny: checks look into whatever came back
// oxlint-disable-next-line typescript/no-explicit-any
export type Answer = any;

/** What came of a tool call, as far as a check looks at it. */
export interface Called {
  readonly isError?: boolean | undefined;
  readonly structuredContent?: Answer;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly _meta?: Record<string, Answer> | undefined;
}

interface ListedTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: { readonly type: "object"; [key: string]: unknown };
}

export interface OutsideClient {
  listTools(): Promise<{ tools: ListedTool[] }>;
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<Called>;
  close(): Promise<void>;
}

/** Answers a question of the hub in the user's place: yes or no. */
export type AskUser = (message: string) => boolean;

/** `ask` absent: a client that cannot put questions to its user. */
export type Connect = (hub: HubPlace, ask?: AskUser) => Promise<OutsideClient>;

const ME = { name: "smoke", version: "1" };

const newV2 = (ask: AskUser | undefined) => {
  const client = new Client(ME, {
    versionNegotiation: { mode: { pin: "2026-07-28" } },
    capabilities: ask ? { elicitation: { form: {} } } : {},
  });
  if (ask)
    client.setRequestHandler("elicitation/create", async ({ params }) => ({
      action: "accept" as const,
      content: { confirm: ask(params.message) },
    }));
  return client;
};

const newV1 = (ask: AskUser | undefined) => {
  const client = new OldClient(ME, { capabilities: ask ? { elicitation: {} } : {} });
  if (ask)
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({
      action: "accept" as const,
      content: { confirm: ask(params.message) },
    }));
  return client;
};

const command = (hub: HubPlace) => ({ command: process.execPath, args: [COMMAND, "stdio"], env: { ...hub.env } });
const bearer = (hub: HubPlace) => ({
  requestInit: { headers: { authorization: `Bearer ${hub.token("agent")}` } },
});

async function connectV1(transport: OldTransport, ask: AskUser | undefined): Promise<OutsideClient> {
  const client = newV1(ask);
  await client.connect(transport);
  return client as OutsideClient;
}

/** Both official SDKs over both transports. */
export const clients: Readonly<Record<string, Connect>> = {
  "SDK v2 over stdio": async (hub, ask) => {
    const client = newV2(ask);
    await client.connect(new StdioClientTransport(command(hub)));
    return client;
  },
  "SDK v2 over HTTP": async (hub, ask) => {
    const client = newV2(ask);
    await client.connect(new StreamableHTTPClientTransport(new URL(hub.url), bearer(hub)));
    return client;
  },
  "SDK v1 over stdio": (hub, ask) => connectV1(new OldStdioTransport(command(hub)), ask),
  "SDK v1 over HTTP": (hub, ask) => connectV1(new OldHttpTransport(new URL(hub.url), bearer(hub)), ask),
};
