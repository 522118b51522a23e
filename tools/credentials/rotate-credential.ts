import * as z from "zod";
import { credentialClaim, credentialName, credentialView } from "../../contracts/credentials/credential.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { credentialChangedBy } from "../../server/domain/credentials/changed-by.ts";
import { credentialTarget } from "../../server/domain/credentials/find-credential.ts";
import { previewRotate, rotateCredential } from "../../server/domain/credentials/rotate-credential.ts";
import { credentialView as view } from "../../server/domain/credentials/views.ts";

export const rotateAccountCredential = defineAction({
  name: "system_credentials_rotate",
  title: "Replace a credential's secret",
  description:
    "Lets a person give a new secret for a credential, on the page or by the command that this answers with: hand both on as they are. The present secret works until then. Also for a credential whose first claim expired. Usually waits for a person's approval.",
  permission: "system.credentials.rotate",
  risk: { effect: "write", approval: "approve", loosens: true },
  input: z.strictObject({ name: credentialName }),
  output: z.strictObject({ credential: credentialView, claim: credentialClaim }),
  errors: ["NOT_FOUND", "CREDENTIAL_REPLACED"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["name"],
  resource: ["Credential"],
  target: ({ name }, { read }) => credentialTarget(read.credentials, name),
  preview: ({ name }, { read, call }) => previewRotate(read.credentials, name, call.caller.principal.name),
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ credential: { name }, claim }) =>
    `A person may give ${name} a new secret, before ${claim.expiresAt}, at ${claim.link} or with \`${claim.next}\`.`,
  handler: async ({ name }, { tx, services, call }) => {
    const by = { ...credentialChangedBy(call), link: services.credentials.claimLink };
    const { credential, claim } = await rotateCredential(tx, name, by);
    return { credential: view(credential, call.now), claim };
  },
});
