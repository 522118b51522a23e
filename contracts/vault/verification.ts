import * as z from "zod";
import { operationState } from "../operations/operation.ts";
import { progress } from "../operations/progress.ts";
import { counted } from "./counted.ts";

/** A look at all credentials of all accounts: whether each opens, and is the one that its account's journal knows. */
export const credentialFinding = z.strictObject({ accountId: z.string(), credentialId: z.string(), code: z.string() });
export type CredentialFinding = z.output<typeof credentialFinding>;

export const verificationView = z.strictObject({
  id: z.string(),
  state: operationState,
  progress,
  accounts: z.int(),
  checked: z.int().describe("credentials looked at"),
  opened: z.int().describe("of these, those that opened and are what the journal says"),
  waiting: z.int().describe("those that hold, and have no secret yet"),
  failed: z.int().describe("those that do not hold, or are gone; `findings` names them"),
  findings: z.array(credentialFinding).describe("200 at most"),
  unreached: z
    .array(z.strictObject({ accountId: z.string(), code: z.string() }))
    .describe("accounts in which the hub could not look"),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  requestedBy: z.string(),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
});
export type VerificationView = z.output<typeof verificationView>;

/** What a verification came to by now. */
export function checkInWords({
  checked,
  accounts,
  opened,
  waiting,
  failed,
}: Pick<VerificationView, "checked" | "accounts" | "opened" | "waiting" | "failed">): string {
  const looked = `${counted(checked, "credential")} of ${counted(accounts, "account")} looked at`;
  return `${looked}: ${opened} decrypted, ${waiting} waiting for a secret, ${failed} failed.`;
}
