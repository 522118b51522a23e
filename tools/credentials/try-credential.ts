import * as z from "zod";
import { credentialName } from "../../contracts/credentials/credential.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { credentialTarget, findCredential } from "../../server/domain/credentials/find-credential.ts";
import { testCredential } from "../../server/domain/credentials/try-credential.ts";

export const testAccountCredential = defineAction({
  name: "system_credentials_test",
  title: "Test a credential",
  description:
    "Opens a credential, to see that its secret can be used. With an address within its hosts it is also sent there once, for the smallest real thing: Git credentials list a repository's branches, a bearer token asks for one page. Tells what came of it, never the secret.",
  permission: "system.credentials.test",
  risk: { effect: "external", approval: "none", loosens: false },
  input: z.strictObject({
    name: credentialName,
    url: z.string().min(1).max(2_048).optional().describe("repository, or https page; absent: nothing is sent"),
  }),
  output: z.strictObject({
    name: z.string(),
    version: z.int(),
    tried: z
      .strictObject({
        host: z.string(),
        accepted: z.boolean(),
        code: z.string().nullable().describe("why it was not accepted"),
        words: z.string(),
      })
      .nullable()
      .describe("null where it was only opened"),
  }),
  errors: [
    "NOT_FOUND",
    "CREDENTIAL_EMPTY",
    "CREDENTIAL_EXPIRED",
    "CREDENTIAL_REPLACED",
    "CREDENTIAL_SCOPE_REFUSED",
    "REPOSITORY_URL_REFUSED",
    "CIPHERTEXT_INVALID",
  ],
  channels: ["mcp", "http", "cli"],
  policyInput: ["name"],
  resource: ["Credential"],
  target: ({ name }, { read }) => credentialTarget(read.credentials, name),
  secretOutput: false,
  timeLimitMs: 60_000,
  summary: ({ name, tried }) => `${name} opens${tried === null ? "." : `; ${trialInWords(tried)}`}`,
  reach: async ({ name, url }, { read, services, call }) => {
    const { kind } = await read(({ credentials }) => findCredential(credentials, name));
    const { account, principal } = call.caller;
    const use = { accountId: account.id, by: principal.id, callId: call.id, signal: call.signal };
    return testCredential(services.credentials, { name, kind, url }, use);
  },
  handler: async ({ name }, { reached }) => ({ name, ...reached }),
});

/** A server that said no is one thing, one that was not reached another: there the secret was not looked at. */
function trialInWords({
  host,
  accepted,
  code,
  words,
}: {
  host: string;
  accepted: boolean;
  code: string | null;
  words: string;
}) {
  if (accepted) return `${host} accepts it: ${words}`;
  const refused = code === "GIT_AUTH_REQUIRED" || code === "FORBIDDEN";
  return refused ? `${host} does not accept it: ${words}` : `it could not be tried on ${host}: ${words}`;
}
