import type { KeyObject } from "node:crypto";
import { keyId as idOfKey, publicKeyToDer } from "../../../contracts/formats/ed25519.ts";
import type { PrincipalReference } from "../../../contracts/identity/principal.ts";
import { HubError } from "../../errors.ts";
import type { IdentityChange } from "./acting-call.ts";
import type { TokenSeed } from "./create-account.ts";
import { isAdmin } from "./find-principal.ts";
import type { IdentityReader } from "./identity-store.ts";
import type { RecoveryStore } from "./recovery-store.ts";
import type { BanRow, PersonRow, PrincipalRow } from "./rows.ts";
import { principalReferenceView } from "./views.ts";

const DAY_MS = 86_400_000;
const TOKEN_DAYS = 90;

/** What recovering an operator will change, for the person who asks for it. */
export interface RecoveryPlan {
  readonly operator: PrincipalReference;
  readonly person: PersonRow;
  readonly ban?: BanRow;
  /** Whether the person's key of this place is enrolled already. */
  readonly keyIsEnrolled: boolean;
  /** The person's other keys, which end. */
  readonly otherKeys: readonly string[];
  /** Its tokens that work, which end. */
  readonly tokens: number;
}

export interface RecoveredOperator {
  readonly operator: PrincipalReference;
  readonly keyId: string;
  readonly token: { readonly id: string; readonly expiresAt: string };
  readonly liftedBan?: string;
  readonly endedKeys: readonly string[];
  readonly endedTokens: readonly string[];
}

interface Rows {
  readonly identity: IdentityReader;
  readonly recovery: RecoveryStore;
}

/**
 * The operator of that name, or the account's one administrator, and what stands in its way. Throws NOT_FOUND,
 * INPUT_INVALID (several: one has to be named; or one that does not administer the account), and ALREADY_EXISTS where the
 * key is another person's or was revoked.
 */
export async function planRecovery(
  { identity, recovery }: Rows,
  { name, key }: { readonly name?: string | undefined; readonly key?: KeyObject | undefined },
  now: Date,
): Promise<RecoveryPlan> {
  const { row, person } = await administrator({ identity, recovery }, name);
  const keyId = key && idOfKey(key);
  const holder = keyId === undefined ? undefined : await recovery.keyHolder(keyId);
  if (holder) refuseStrangeKey(holder, person);
  const ban = await identity.banInForce(row.id, now);
  return {
    operator: principalReferenceView(row),
    person,
    ...(ban && { ban }),
    keyIsEnrolled: holder !== undefined,
    otherKeys: (await recovery.keysInForce(person.id)).filter((other) => other !== keyId),
    tokens: await identity.liveTokens(row.id, now),
  };
}

/**
 * Lets an operator act again: lifts its ban, makes `key` its person's one signing key and `token` its one token. All others
 * end, since nobody knows in whose hands they are. `by` is the hub's own principal. Throws what `planRecovery` throws.
 */
export async function recoverOperator(
  { identity, recovery, events }: IdentityChange & Rows,
  { name, key, token }: { readonly name: string; readonly key: KeyObject; readonly token: TokenSeed },
  { now, by, callId }: { readonly now: Date; readonly by: string; readonly callId: string },
): Promise<RecoveredOperator> {
  const account = await identity.lockAccount();
  const plan = await planRecovery({ identity, recovery }, { name, key }, now);
  const { operator, person, ban } = plan;
  await identity.lockPrincipal(operator.id);
  const keyId = idOfKey(key);
  const subject = `identity/principal/${operator.id}`;
  if (ban) {
    await identity.liftBan(ban.id, { at: now, by, reason: "recovered with the hub's root key" });
    await events.emit({ type: "identity.principal_unbanned", subject, data: { banId: ban.id, by } });
  }
  if (!plan.keyIsEnrolled)
    await identity.addKey({
      ...{ keyId, personId: person.id, algorithm: "ed25519" },
      ...{ publicKey: publicKeyToDer(key), enrolledAt: now },
    });
  await recovery.revokeOtherKeys(person.id, keyId, now);
  const endedTokens = await recovery.revokeTokens(operator.id, { at: now, by });
  for (const id of endedTokens)
    await events.emit({
      type: "identity.token_revoked",
      subject: `identity/token/${id}`,
      data: { principalId: operator.id, by },
    });
  const expiresAt = new Date(now.getTime() + TOKEN_DAYS * DAY_MS);
  const made = { note: "made when recovered", createdBy: by, createdAt: now, expiresAt };
  await identity.addToken({ ...token, principalId: operator.id, ...made });
  // what waits for approval in its name may be somebody else's wish
  await identity.bumpPrincipal(operator.id);
  await events.emit({
    type: "identity.account_recovered",
    subject: `identity/account/${account.id}`,
    data: { what: "operator", callId, principalId: operator.id, keyId, by },
  });
  return {
    operator,
    keyId,
    token: { id: token.id, expiresAt: expiresAt.toISOString() },
    ...(ban && { liftedBan: ban.id }),
    endedKeys: plan.otherKeys,
    endedTokens,
  };
}

async function administrator(
  { identity, recovery }: Rows,
  name: string | undefined,
): Promise<{ row: PrincipalRow; person: PersonRow }> {
  const all = await recovery.administrators();
  const [only, ...more] = all;
  const names = all.map((admin) => `"${admin.name}"`).join(", ");
  if (name === undefined && more.length > 0)
    throw new HubError("INPUT_INVALID", `Several operators administer this account: name one of ${names}.`, {
      path: "name",
    });
  const row = name === undefined ? only && (await identity.principal(only.id)) : await identity.principalNamed(name);
  if (!row)
    throw new HubError("NOT_FOUND", `There is no such operator; there are: ${names || "none"}.`, { path: "name" });
  const { person } = row;
  if (isAdmin(row) && person) return { row, person };
  const message = `"${row.name}" does not administer this account; who does is: ${names || "nobody"}.`;
  throw new HubError("INPUT_INVALID", message, { path: "name" });
}

function refuseStrangeKey({ personId, isRevoked }: { personId: string; isRevoked: boolean }, person: PersonRow): void {
  if (personId === person.id && !isRevoked) return;
  const whose = personId === person.id ? `was revoked for ${person.name}` : "is enrolled for another person";
  throw new HubError("ALREADY_EXISTS", `The signing key of this config folder ${whose}: a new one is needed.`, {
    path: "key",
  });
}
