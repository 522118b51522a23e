import * as z from "zod";
import { defineAction } from "../../server/action/define-action.ts";

export const verifyAccountJournal = defineAction({
  name: "system_journal_verify",
  title: "Verify the journal",
  description:
    "Walks this account's whole journal: certificates, signatures, chains and the log. Names the first entry that does not hold, and why. Who asks while it is under way shares the next walk. `countersign journal verify` does the same outside of the hub.",
  permission: "system.journal.verify",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({}),
  output: z.strictObject({
    ok: z.boolean(),
    profile: z.enum(["solo", "team"]),
    lanes: z.int(),
    receipts: z.int(),
    firstBad: z
      .strictObject({
        epoch: z.int(),
        sequence: z.int().optional(),
        receiptId: z.string().optional(),
        reason: z.string(),
      })
      .optional(),
    limits: z.array(z.string()).describe("what this walk cannot show"),
  }),
  errors: [],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 240_000,
  summary: (v) =>
    v.ok
      ? `The journal holds: ${v.receipts} receipts in ${v.lanes} lanes (profile ${v.profile}).`
      : `The journal does NOT hold. First bad entry: epoch ${v.firstBad?.epoch}, sequence ${v.firstBad?.sequence ?? "-"}: ${v.firstBad?.reason}`,
  handler: async (_input, { call, services }) => {
    const verdict = await services.journalVerifier.verify(call.caller.account.id, call.signal);
    return { ...verdict, limits: [...verdict.limits] };
  },
});
