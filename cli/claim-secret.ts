import * as z from "zod";
import type { HubClient } from "./hub-client.ts";

const claimed = z.object({
  kind: z.enum(["token", "invitation"]),
  id: z.string(),
  secret: z.string(),
  expiresAt: z.string(),
});

/** Has a granted secret made. It is shown this once. */
export const claimSecret = (hub: HubClient, claimId: string) =>
  hub.output(claimed, "system_identity_claim_secret", { claimId });
