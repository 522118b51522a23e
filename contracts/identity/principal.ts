import * as z from "zod";
import { rowIdV7 } from "../formats/row-id.ts";

/** Who can call: a person's operator, an agent that answers to a person, or a system's service. */
export const PRINCIPAL_KINDS = ["operator", "agent", "service"] as const;
export type PrincipalKind = (typeof PRINCIPAL_KINDS)[number];
export const principalKind = z.enum(PRINCIPAL_KINDS);

/** What roles let their holders do, in words. The policies that say so in full ship with the hub. */
export const ROLES = {
  admin: "everything in this account, people and policies included",
  operator: "run the fleet, decide on requests, manage tokens and bans",
  approver: "decide on requests, and read what that needs",
  agent: "read, and ask for changes of the fleet",
  reader: "read the fleet, requests and events",
  auditor: "read everything and verify the journal",
} as const;
export type Role = keyof typeof ROLES;
export const role = z.enum(Object.keys(ROLES) as [Role, ...Role[]]);

/** Roles that each kind may hold: deciding and governing need a person. */
export const ROLES_OF_KIND: Readonly<Record<PrincipalKind, readonly Role[]>> = {
  operator: ["admin", "operator", "approver", "reader", "auditor"],
  agent: ["agent", "reader", "auditor"],
  service: ["agent", "reader", "auditor"],
};

/** What the hub's own service holds, in each account; nobody can be given it. */
export const HUB_ROLE = "hub";
export const HUB_PRINCIPAL_NAME = "hub";

// control, format and private characters, lone surrogates: what hides or reorders the text that people decide by
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/** One line as people write it: nothing hidden in it, no space around it. */
export const plainText = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .refine((text) => !HIDDEN.test(text) && text.trim() === text, "one line of plain text, no space around it");

/** Names are compared without regard to case; NFC, so that one name has one spelling. */
export const displayName = plainText(80).refine((text) => text.normalize("NFC") === text, "Unicode in NFC form");

export const roles = z
  .array(role)
  .min(1)
  .max(Object.keys(ROLES).length)
  .refine((names) => new Set(names).size === names.length, "each role once");

/** A UUIDv7 in the one spelling that rows have: equal calls have equal digests, and policies see one id. */
export const identityId = rowIdV7;

export const principalId = identityId.describe("id of the principal, as system_identity_list_principals tells it");

const heldRole = z.enum([...role.options, HUB_ROLE]);
const personShape = z.strictObject({ id: z.string(), name: z.string() });

/** A principal where it is only pointed at. */
export const principalReference = z.strictObject({ id: z.string(), kind: principalKind, name: z.string() });
export type PrincipalReference = z.output<typeof principalReference>;

export const principalShape = principalReference.extend({
  roles: z.array(heldRole),
  person: personShape.optional().describe("who an operator is"),
  owner: personShape.optional().describe("who an agent answers to"),
  version: z.int().describe("grows with whatever changes what it may do"),
  createdAt: z.iso.datetime(),
});
export type PrincipalShape = z.output<typeof principalShape>;

/** A token without its secret. */
export const tokenShape = z.strictObject({
  id: z.string(),
  note: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().optional().describe("to the minute"),
});
export type TokenShape = z.output<typeof tokenShape>;

export const banShape = z.strictObject({
  id: z.string(),
  principal: principalReference,
  reason: z.string(),
  bannedBy: principalReference,
  bannedAt: z.iso.datetime(),
  until: z.iso.datetime().optional().describe("ends by itself then; absent: until it is lifted"),
  inForce: z.boolean(),
  lifted: z
    .strictObject({ at: z.iso.datetime(), by: principalReference, reason: z.string() })
    .optional()
    .describe("absent while in force, and where it ended by itself"),
});
export type BanShape = z.output<typeof banShape>;

/** The right to have a secret made once, by a person, on the command line: secrets never pass through a model. */
export const claimShape = z.strictObject({
  claimId: z.string(),
  claimExpiresAt: z.iso.datetime(),
  next: z.string().describe("what a person does to get the secret"),
});
