import * as z from "zod";
import { operationState } from "../operations/operation.ts";
import { progress } from "../operations/progress.ts";

/** A look at all credentials of all accounts: whether each opens, and is the one that its account's journal knows. */
export const credentialFinding = z.strictObject({ accountId: z.string(), credentialId: z.string(), code: z.string() });
export type CredentialFinding = z.output<typeof credentialFinding>;

export const verificationView = z.strictObject({
  id: z.string(),
  state: operationState,
  progress,
  accounts: z.int(),
  checked: z.int(),
  failed: z.int(),
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
