import * as z from "zod";
import { type CredentialView, credentialView } from "../../contracts/credentials/credential.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { shortTable } from "../../server/action/short-table.ts";
import { listCredentials } from "../../server/domain/credentials/read-credentials.ts";

const COLUMNS = {
  Credential: ({ name }: CredentialView) => name,
  Kind: ({ kind }: CredentialView) => kind,
  State: ({ state }: CredentialView) => state,
  Hosts: ({ allowedHosts }: CredentialView) => allowedHosts.join(", "),
  "Used by": ({ usedBy }: CredentialView) => usedBy.join(", "),
};

export const listAccountCredentials = defineAction({
  name: "system_credentials_list",
  title: "List credentials",
  description:
    "Lists stored credentials by name, with their states: waiting (for a person to give the secret), ready, rotation due, expired. Never their secrets.",
  permission: "system.credentials.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject(page),
  output: pageOf(credentialView),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ items, next }) =>
    items.length === 0 ? "No credential is stored." : shortTable(COLUMNS, items, next !== undefined),
  handler: (input, { read, call }) => listCredentials(read.credentials, input, call.now),
});
