/** Receipts where they are listed and asked for. */
import * as z from "zod";

/** One line of a list of receipts. */
export const receiptSummary = z.strictObject({
  id: z.string().describe("`<call id>.intent` or `<call id>.outcome`"),
  callId: z.string(),
  phase: z.enum(["intent", "outcome"]),
  action: z.string(),
  principalId: z.string().nullable().describe("null where nobody was identified"),
  code: z.string().describe("OK, or the code of the refusal or failure; PENDING for an intent"),
  at: z.iso.datetime(),
  position: z.int().describe("place in the account's log"),
});
export type ReceiptSummary = z.output<typeof receiptSummary>;

export const receiptId = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.(intent|outcome)$/,
    "a call id, a dot, and intent or outcome",
  )
  .describe("`<call id>.intent` or `<call id>.outcome`");
