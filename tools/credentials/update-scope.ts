import * as z from "zod";
import { credentialView, scopeChange } from "../../contracts/credentials/credential.ts";
import { consumersInWords, hostsInWords } from "../../contracts/credentials/scope-words.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { credentialChangedBy } from "../../server/domain/credentials/changed-by.ts";
import { credentialTarget, leftOf } from "../../server/domain/credentials/find-credential.ts";
import { previewScope, updateScope } from "../../server/domain/credentials/update-scope.ts";
import { credentialView as view } from "../../server/domain/credentials/views.ts";

export const updateCredentialScope = defineAction({
  name: "system_credentials_update_scope",
  title: "Change what a credential may be used for",
  description:
    "Changes the hosts that a credential may be sent to, what may use it, its expiry and how often its secret is due. Lists replace the ones before. Narrowing happens at once; where anything is added or lasts longer, say widen: true, and two people have to agree.",
  permission: "system.credentials.scope",
  risk: { effect: "write", approval: "none", loosens: false, raises: { widen: "two-person" } },
  input: scopeChange,
  output: z.strictObject({ credential: credentialView }),
  errors: ["NOT_FOUND", "CREDENTIAL_REPLACED", "EGRESS_REFUSED"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["name", "allowedHosts", "consumers", "widen"],
  resource: ["Credential"],
  target: ({ name }, { read }) => credentialTarget(read.credentials, name),
  preview: (input, { read, services, call }) => {
    const { refuseAddress } = services.credentials;
    return previewScope(read.credentials, input, { asker: call.caller.principal.name, now: call.now, refuseAddress });
  },
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ credential: c }) =>
    `${c.name} may be sent to ${hostsInWords(c.allowedHosts)}, for ${consumersInWords(c.consumers)}; it is ${c.state}.`,
  leaves: ({ credential }) => leftOf(credential),
  handler: async (input, { tx, services, call }) => {
    const { refuseAddress } = services.credentials;
    const credential = await updateScope(tx, input, { ...credentialChangedBy(call), refuseAddress });
    return { credential: view(credential, call.now) };
  },
});
