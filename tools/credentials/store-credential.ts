import * as z from "zod";
import { credentialClaim, credentialView, newCredential } from "../../contracts/credentials/credential.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { credentialChangedBy } from "../../server/domain/credentials/changed-by.ts";
import { credentialTarget, leftOf } from "../../server/domain/credentials/find-credential.ts";
import { previewStore, storeCredential } from "../../server/domain/credentials/store-credential.ts";
import { credentialView as view } from "../../server/domain/credentials/views.ts";

export const storeAccountCredential = defineAction({
  name: "system_credentials_store",
  title: "Store a credential",
  description:
    "Keeps what a credential is for: its kind, the hosts that it may be sent to, what may use it, until when. Never its secret: a person gives that afterwards, on the page or by the command that this answers with, so hand both on as they are. Usually waits for a person's approval.",
  permission: "system.credentials.store",
  risk: { effect: "write", approval: "approve", loosens: false },
  input: newCredential,
  output: z.strictObject({ credential: credentialView, claim: credentialClaim }),
  errors: ["ALREADY_EXISTS", "EGRESS_REFUSED"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["name", "kind", "allowedHosts", "consumers"],
  resource: ["Credential"],
  target: ({ name }, { read }) => credentialTarget(read.credentials, name),
  preview: (input, { read, services, call }) => {
    const { refuseAddress } = services.credentials;
    return previewStore(read.credentials, input, { asker: call.caller.principal.name, now: call.now, refuseAddress });
  },
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ credential: { name }, claim }) =>
    `${name} is kept, without its secret yet. A person gives that, before ${claim.expiresAt}, at ${claim.link} or with \`${claim.next}\`.`,
  leaves: ({ credential }) => leftOf(credential),
  handler: async (input, { tx, services, call }) => {
    const { claimLink: link, refuseAddress } = services.credentials;
    const by = { ...credentialChangedBy(call), link, refuseAddress };
    const { credential, claim } = await storeCredential(tx, input, by);
    return { credential: view(credential, call.now), claim };
  },
});
