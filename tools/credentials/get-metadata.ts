import * as z from "zod";
import { credentialName, credentialView } from "../../contracts/credentials/credential.ts";
import { hostsInWords } from "../../contracts/credentials/scope-words.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { credentialTarget } from "../../server/domain/credentials/find-credential.ts";
import { getCredential } from "../../server/domain/credentials/read-credentials.ts";

export const getCredentialMetadata = defineAction({
  name: "system_credentials_get_metadata",
  title: "Get what is known of a credential",
  description:
    "Tells of a stored credential what it is, where it may be sent, what may use it, whether its secret was given and is due, and what uses it. Never the secret.",
  permission: "system.credentials.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ name: credentialName }),
  output: z.strictObject({ credential: credentialView }),
  errors: ["NOT_FOUND"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["name"],
  resource: ["Credential"],
  target: ({ name }, { read }) => credentialTarget(read.credentials, name),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ credential: c }) =>
    `${c.name} (${c.kind}) is ${c.state}; it may be sent to ${hostsInWords(c.allowedHosts)}, for ${c.consumers.join(", ")}.`,
  handler: async ({ name }, { read, call }) => ({ credential: await getCredential(read.credentials, name, call.now) }),
});
