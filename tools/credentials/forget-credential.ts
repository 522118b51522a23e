import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { credentialChangedBy } from "../../server/domain/credentials/changed-by.ts";
import { DELETED } from "../../server/domain/credentials/credential-store.ts";
import { leftOf } from "../../server/domain/credentials/find-credential.ts";
import { forgetMissing, missingTarget, previewForget } from "../../server/domain/credentials/forget-missing.ts";

export const forgetMissingCredential = defineAction({
  name: "system_credentials_forget",
  title: "Give up a missing credential",
  description:
    "Gives up a credential that a verification reports as CREDENTIAL_MISSING: the journal has it, and its row vanished past the hub. From then on it counts as deleted. Usually waits for a person's approval.",
  permission: "system.credentials.delete",
  risk: { effect: "destructive", approval: "approve", loosens: false },
  input: z.strictObject({ credentialId: rowId.describe("as the verification's findings name it") }),
  output: z.strictObject({
    id: z.string(),
    version: z.int().describe("what the journal has of it last"),
    digest: z.literal(DELETED),
  }),
  errors: ["NOT_FOUND", "CONFLICT"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["credentialId"],
  resource: ["Credential"],
  target: ({ credentialId }, { read }) => missingTarget(read.credentials, credentialId),
  preview: ({ credentialId }, { read, call }) =>
    previewForget(read.credentials, credentialId, call.caller.principal.name),
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ id }) => `The credential ${id} counts as deleted. Store it anew if it is still needed.`,
  leaves: (forgotten) => leftOf(forgotten),
  handler: ({ credentialId }, { tx, call }) => forgetMissing(tx, credentialId, credentialChangedBy(call)),
});
