import * as z from "zod";
import { principalShape } from "../contracts/identity/principal.ts";
import type { HubClient } from "./hub-client.ts";

const answer = z.object({
  account: z.object({ id: z.string(), name: z.string(), profile: z.enum(["solo", "team"]), people: z.int() }),
  principal: principalShape,
  policy: z.object({ version: z.int(), hash: z.string() }),
});

export const whoami = (hub: HubClient) => hub.output(answer, "system_identity_whoami");
