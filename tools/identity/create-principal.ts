import * as z from "zod";
import { displayName, identityId, principalKind, principalShape, roles } from "../../contracts/identity/principal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { createPrincipal as create, previewCreatePrincipal } from "../../server/domain/identity/create-principal.ts";

export const createPrincipal = defineAction({
  name: "system_identity_create_principal",
  title: "Create a principal",
  description:
    "Creates an agent that answers to a person, a service, or a further operator of a person who has joined. It has no token yet: issue one with system_identity_issue_token. Usually waits for a person's approval.",
  permission: "system.identity.write",
  risk: { effect: "write", approval: "approve", loosens: false },
  input: z.strictObject({
    kind: principalKind,
    name: displayName.describe("how people tell it apart; unique in the account, without regard to case"),
    roles: roles.describe(
      "operators: admin, operator, approver, reader, auditor; agents and services: agent, reader, auditor",
    ),
    personId: identityId.optional().describe("for an operator: the person that it is"),
    ownerPersonId: identityId.optional().describe("for an agent: the person that it answers to; yourself if left out"),
  }),
  output: z.strictObject({ principal: principalShape }),
  errors: ["NOT_FOUND", "ALREADY_EXISTS"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["kind", "roles"],
  resource: ["Account"],
  target: "account",
  preview: (input, { read, call }) => previewCreatePrincipal(read.identity, input, call),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ principal }) =>
    `The ${principal.kind} "${principal.name}" (${principal.roles.join(", ")}) is made; its id is ${principal.id}.`,
  handler: (input, { tx, call }) => create(tx, input, call),
});
