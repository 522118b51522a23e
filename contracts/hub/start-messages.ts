/**
 * What `countersign start`, or `stdio`, and the hub process say to each other while the hub starts, over Node's IPC channel. The
 * command line makes keys and tokens; the hub is told public halves and hashes, and never sees a secret.
 */
import * as z from "zod";

/** The hub's argument: it outlives who started it, logs to a file of its own, and ends when no client is left. */
export const DETACHED = "--detached";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const tokenGrant = { tokenId: z.uuidv7(), tokenSha256: sha256 };

/** The first account, where the database has none. */
export const firstAccount = z.strictObject({
  name: z.string().min(1).max(100),
  operator: z.strictObject({
    name: z.string().min(1).max(100),
    /** Ed25519, SPKI DER in base64. */
    publicKey: z.base64().max(200),
    ...tokenGrant,
  }),
  agent: z.strictObject({ name: z.string().min(1).max(100), ...tokenGrant }),
});
export type FirstAccount = z.output<typeof firstAccount>;

/** From the hub. */
export const hubMessage = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("progress"), text: z.string() }),
  z.strictObject({ type: z.literal("first-account-needed") }),
  /** The root key file is protected, and no file holds its passphrase. */
  z.strictObject({ type: z.literal("passphrase-needed") }),
  z.strictObject({
    type: z.literal("ready"),
    url: z.url(),
    accountId: z.string(),
    /** The account's root key, SPKI PEM: the command line pins it. */
    rootKey: z.string(),
    created: z.boolean(),
    database: z.enum(["embedded", "external"]),
    /** The OS user that the embedded PostgreSQL runs as, where the hub runs as root. */
    osUser: z.string().optional(),
  }),
  z.strictObject({ type: z.literal("failed"), code: z.string(), message: z.string() }),
]);
export type HubMessage = z.output<typeof hubMessage>;

/** To the hub. */
export const starterMessage = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("first-account"), account: firstAccount }),
  z.strictObject({ type: z.literal("passphrase"), passphrase: z.string().max(4096) }),
  /** To one started with DETACHED: its starter has kept where it is, and may go. */
  z.strictObject({ type: z.literal("stay") }),
]);
export type StarterMessage = z.output<typeof starterMessage>;
