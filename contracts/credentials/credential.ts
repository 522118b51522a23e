import * as z from "zod";
import { fleetName } from "../fleet/object.ts";
import { plainText } from "../identity/principal.ts";
import { readAllowedHost } from "./allowed-host.ts";
import { CREDENTIAL_KINDS } from "./credential-kind.ts";

/**
 * A stored credential: a secret that the hub uses in its callers' stead, with where it may be sent and by what. What is
 * told of it never holds the secret.
 */

export const credentialKind = z
  .enum(CREDENTIAL_KINDS)
  .meta({ id: "CredentialKind" })
  .describe(
    "git-https: user and password or token for Git over https. ssh-key: a private key for Git over ssh. bearer-token: for `Authorization: Bearer`",
  );

export const credentialName = fleetName.describe("name of the credential, a DNS label");

export const credentialDescription = plainText(200).describe("what it is for, in one line");

export const credentialUsername = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\s:\p{C}]+$/u, "no spaces, colons or control characters")
  .describe("user that it belongs to; needed by git-https");

const HOST_WORDS =
  "a host in lower case as it stands in an address, with :port where that is not the usual one; *.example.com for one label";

/** Each once, in any order. */
const distinct = (items: readonly string[]) => new Set(items).size === items.length;

export const allowedHosts = z
  .array(
    z
      .string()
      .max(260)
      .refine((text) => readAllowedHost(text) !== undefined, HOST_WORDS),
  )
  .min(1)
  .max(32)
  .refine(distinct, "each host once")
  .describe(`where it may be sent: ${HOST_WORDS}`);

export const consumers = z
  .array(
    z
      .string()
      .max(96)
      .regex(
        /^[a-z][a-z0-9-]{0,31}(?:\/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)?$/,
        "<area> or <area>/<name>, such as gitops or gitops/shop",
      ),
  )
  .min(1)
  .max(32)
  .refine(distinct, "each consumer once")
  .describe("what may use it: <area>, or <area>/<name> for one thing in it, such as gitops/<repository>");

const expiresAt = z.iso.datetime().describe("from then on it is not used any more, UTC");
export const rotateEveryDays = z.int().min(1).max(3_650).describe("days after which its secret is due to be replaced");

export const newCredential = z.strictObject({
  name: credentialName,
  kind: credentialKind,
  description: credentialDescription,
  username: credentialUsername.optional(),
  allowedHosts,
  consumers,
  expiresAt: expiresAt.optional(),
  rotateEveryDays: rotateEveryDays.optional(),
});
export type NewCredential = z.output<typeof newCredential>;

/** `null` takes a limit off, which is widening. */
export const scopeChange = z.strictObject({
  name: credentialName,
  allowedHosts: allowedHosts.optional().describe("all of them from now on, not only what changes"),
  consumers: consumers.optional().describe("all of them from now on"),
  expiresAt: expiresAt.nullable().optional().describe("null: it does not expire"),
  rotateEveryDays: rotateEveryDays.nullable().optional().describe("null: its secret is never due"),
  widen: z
    .boolean()
    .default(false)
    .describe("say so where anything is added or lasts longer than before; two people have to agree"),
});
export type ScopeChange = z.output<typeof scopeChange>;

export const CREDENTIAL_STATES = ["waiting", "ready", "rotation due", "expired"] as const;

export const credentialView = z.strictObject({
  id: z.string(),
  name: z.string(),
  kind: z.enum(CREDENTIAL_KINDS),
  description: z.string(),
  owner: z.strictObject({ id: z.string(), name: z.string() }).describe("who asked for it to be kept"),
  username: z.string().nullable(),
  allowedHosts: z.array(z.string()),
  consumers: z.array(z.string()),
  expiresAt: z.iso.datetime().nullable(),
  rotateEveryDays: z.int().nullable(),
  state: z.enum(CREDENTIAL_STATES).describe("waiting: a person has yet to give the secret"),
  version: z.int().describe("grows with every change"),
  materialVersion: z.int().describe("how many secrets it has had; 0 before the first"),
  keyVersion: z.int().nullable().describe("version of the account's key that it is kept under"),
  digest: z.string().describe("SHA-256 of what is kept, hexadecimal, as the journal has it"),
  providedAt: z.iso.datetime().nullable().describe("when its secret was given"),
  lastUsedAt: z.iso.datetime().nullable().describe("to the minute"),
  usedBy: z.array(z.string()).describe("what names it now, such as gitops/shop"),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type CredentialView = z.output<typeof credentialView>;

/** The right to give the secret, once: a person does, on a page or on the command line, and no model ever sees it. */
export const credentialClaim = z.strictObject({
  link: z.string().describe("a page of the hub for a person to give the secret at, once; hand it on as it is"),
  expiresAt: z.iso.datetime(),
  next: z.string().describe("the same on the command line"),
});
export type CredentialClaim = z.output<typeof credentialClaim>;
