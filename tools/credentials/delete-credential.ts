import * as z from "zod";
import { credentialName } from "../../contracts/credentials/credential.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { credentialChangedBy } from "../../server/domain/credentials/changed-by.ts";
import { DELETED } from "../../server/domain/credentials/credential-store.ts";
import { deleteCredential, previewDelete } from "../../server/domain/credentials/delete-credential.ts";
import { credentialTarget, leftOf } from "../../server/domain/credentials/find-credential.ts";

export const deleteAccountCredential = defineAction({
  name: "system_credentials_delete",
  title: "Delete a credential",
  description:
    "Forgets a credential and its secret for ever; refused while a repository uses it. Usually waits for a person's approval.",
  permission: "system.credentials.delete",
  risk: { effect: "destructive", approval: "approve", loosens: false },
  input: z.strictObject({ name: credentialName }),
  output: z.strictObject({
    id: z.string(),
    name: z.string(),
    version: z.int().describe("what the journal has of it last"),
    digest: z.literal(DELETED),
  }),
  errors: ["NOT_FOUND", "IN_USE"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["name"],
  resource: ["Credential"],
  target: ({ name }, { read }) => credentialTarget(read.credentials, name),
  preview: ({ name }, { read, call }) => previewDelete(read.credentials, name, call.caller.principal.name),
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ name }) => `${name} and its secret are gone.`,
  leaves: (deleted) => leftOf(deleted),
  handler: ({ name }, { tx, call }) => deleteCredential(tx, name, credentialChangedBy(call)),
});
