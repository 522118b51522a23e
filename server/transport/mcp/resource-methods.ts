import { ResourceNotFoundError } from "@modelcontextprotocol/server";
import { HubError } from "../../errors.ts";
import { answering } from "./answering.ts";
import type { ResourceShelf } from "./catalogue.ts";
import { doorCall } from "./door-call.ts";
import { identifiedIn } from "./exchange-context.ts";
import { LIST_CACHE, type Register } from "./serving.ts";

export function resourceMethods(resources: ResourceShelf): Readonly<Record<string, Register>> {
  return {
    "resources/list": ({ at, server }) =>
      server.setRequestHandler("resources/list", ({ params }, context) =>
        answering(at, context, async () => {
          const call = doorCall(context, server.getClientCapabilities());
          const { items, next } = await at.traffic.running(call.caller, () => resources.list(call, params?.cursor));
          return { resources: [...items], ...(next !== undefined && { nextCursor: next }), ...LIST_CACHE };
        }),
      ),
    "resources/templates/list": ({ at, server }) =>
      server.setRequestHandler("resources/templates/list", (_request, context) =>
        answering(at, context, async () => {
          const templates = await resources.templates(identifiedIn(context).caller);
          return { resourceTemplates: [...templates], ...LIST_CACHE };
        }),
      ),
    "resources/read": ({ at, server, rounds }) =>
      server.setRequestHandler("resources/read", ({ params: { uri } }, context) =>
        answering(at, context, async () => {
          const answered = await rounds(context, server.getClientCapabilities(), (call) =>
            resources.read(uri, call).catch((thrown: unknown) => {
              // the protocol has an error of its own for this one, which names what was asked for
              if (thrown instanceof HubError && thrown.code === "NOT_FOUND")
                throw new ResourceNotFoundError(uri, thrown.message);
              throw thrown;
            }),
          );
          return answered.result;
        }),
      ),
  };
}
