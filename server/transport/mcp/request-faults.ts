import { specTypeSchemas } from "@modelcontextprotocol/server";
import { HubError } from "../../errors.ts";
import { faultOfCall } from "./errors.ts";

/** Requests whose parameters the SDK reads by these schemas; it takes what does not fit for a fault of its server. */
const PARAMS = {
  "tools/list": specTypeSchemas.ListToolsRequest,
  "resources/list": specTypeSchemas.ListResourcesRequest,
  "resources/templates/list": specTypeSchemas.ListResourceTemplatesRequest,
  "resources/read": specTypeSchemas.ReadResourceRequest,
  "resources/subscribe": specTypeSchemas.SubscribeRequest,
  "resources/unsubscribe": specTypeSchemas.UnsubscribeRequest,
  "prompts/list": specTypeSchemas.ListPromptsRequest,
  "prompts/get": specTypeSchemas.GetPromptRequest,
  "completion/complete": specTypeSchemas.CompleteRequest,
} as const;

/** What is wrong with the parameters of a request; undefined where nothing is, or where the protocol layer says it best. */
export function faultOfRequest(method: unknown, params: unknown): HubError | undefined {
  if (method === "tools/call") return faultOfCall(params);
  if (typeof method !== "string" || !Object.hasOwn(PARAMS, method)) return undefined;
  // the newer revision has no such methods, and says so whatever their parameters are
  if (method.endsWith("subscribe") && saysRevision(params)) return undefined;
  const schema = PARAMS[method as keyof typeof PARAMS]["~standard"];
  const result = schema.validate({ method, ...(params !== undefined && { params }) });
  if (result instanceof Promise || result.issues === undefined) return undefined;
  const parts = (result.issues[0]?.path ?? []).map((part) => String(part instanceof Object ? part.key : part));
  // what a revision asks of `_meta` is the protocol layer's to say, with the status that the revision names
  if (parts.includes("_meta")) return undefined;
  const path = parts.join(".");
  return new HubError("INPUT_INVALID", `The parameters of ${method} are not as the protocol has them.`, { path });
}

/** Requests of 2026-07-28 carry their revision. */
function saysRevision(params: unknown): boolean {
  const { _meta: meta } = (params ?? {}) as { _meta?: unknown };
  return meta instanceof Object && "io.modelcontextprotocol/protocolVersion" in meta;
}
