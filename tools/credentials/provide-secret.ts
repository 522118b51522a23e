import * as z from "zod";
import { credentialName, credentialView } from "../../contracts/credentials/credential.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { credentialChangedBy } from "../../server/domain/credentials/changed-by.ts";
import { credentialTarget, leftOf } from "../../server/domain/credentials/find-credential.ts";
import { provideSecret } from "../../server/domain/credentials/provide-secret.ts";
import { credentialView as view } from "../../server/domain/credentials/views.ts";

export const provideCredentialSecret = defineAction({
  name: "system_credentials_provide_secret",
  title: "Give a credential its secret",
  description:
    "Seals the secret of a credential that waits for one, or whose secret is being replaced. For people, on the command line or on a claim's page: a secret never passes through a model.",
  permission: "system.credentials.provide",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({
    name: credentialName,
    claim: z.string().max(200).optional().describe("the claim's code, csc_..., where it is what lets the caller in"),
    secret: z.string().min(1).max(16_384).describe("password, token or private key"),
  }),
  output: z.strictObject({ credential: credentialView }),
  errors: ["NOT_FOUND", "CLAIM_EXPIRED", "CREDENTIAL_REPLACED"],
  channels: ["http"],
  policyInput: ["name"],
  resource: ["Credential"],
  target: ({ name }, { read }) => credentialTarget(read.credentials, name),
  secretInput: ["secret", "claim"],
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ credential: c }) => `${c.name} has its secret (number ${c.materialVersion}), and is ${c.state}.`,
  leaves: ({ credential }) => leftOf(credential),
  handler: async (input, { tx, services, call }) => {
    const isPerson = call.caller.principal.kind === "operator";
    const by = { ...credentialChangedBy(call), isPerson };
    return { credential: view(await provideSecret(tx, services.credentials.keys, input, by), call.now) };
  },
});
