import * as z from "zod";
import { answering } from "./answering.ts";
import type { Extension } from "./catalogue.ts";
import { doorCall } from "./door-call.ts";
import { LIST_CACHE, type Register } from "./serving.ts";

/** Methods that an extension adds to the protocol. What they answer is made for one caller, as lists are. */
export function extensionMethods({ methods }: Extension): Readonly<Record<string, Register>> {
  const registers = Object.entries(methods).map(([method, answer]): [string, Register] => [
    method,
    ({ at, server, era }) =>
      server.setRequestHandler(method, { params: z.looseObject({}) }, (params, context) =>
        answering(at, context, async () => {
          const call = doorCall(context, server.getClientCapabilities());
          const result = await at.traffic.running(call.caller, () => answer(params, call));
          return era === "modern" ? { ...LIST_CACHE, ...result } : { ...result };
        }),
      ),
  ]);
  return Object.fromEntries(registers);
}
