import type { KeyObject } from "node:crypto";
import { v7 } from "uuid";
import { keyId, publicKeyToDer } from "../../../contracts/formats/ed25519.ts";
import { displayName, HUB_PRINCIPAL_NAME, HUB_ROLE } from "../../../contracts/identity/principal.ts";
import { HubError } from "../../errors.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { PolicyWriter } from "../policy/policy-store.ts";
import type { AccountWriter } from "./account-store.ts";
import type { IdentityWriter } from "./identity-store.ts";

const DAY_MS = 86_400_000;
const TOKEN_DAYS = 365;

/** A token that somebody else made: the hub learns what it needs to recognise it. */
export interface TokenSeed {
  /** UUIDv7. */
  readonly id: string;
  /** Of the secret's 32 bytes. */
  readonly sha256: Buffer;
}

export interface Founding {
  /** UUIDv7; the transaction carries it as its account. */
  readonly accountId: string;
  readonly name: string;
  /** The first account is the hub's own. */
  readonly isHub: boolean;
  readonly person: { readonly name: string; readonly publicKey: KeyObject };
  readonly agent: { readonly name: string };
  readonly tokens: { readonly operator: TokenSeed; readonly agent: TokenSeed };
  /** The policy document to begin with: canonical JSON and its hex SHA-256. */
  readonly policy: { readonly document: string; readonly hash: string };
  readonly now: Date;
}

/** The rows of a new account, in the transaction that carries its id. */
export interface FoundingRows {
  readonly accounts: AccountWriter;
  readonly identity: IdentityWriter;
  readonly policy: PolicyWriter;
  readonly events: EventWriter;
}

export interface Founded {
  readonly accountId: string;
  readonly personId: string;
  readonly keyId: string;
  readonly operatorId: string;
  readonly agentId: string;
  /** In whose name the hub itself acts. */
  readonly hubPrincipalId: string;
  readonly tokensExpireAt: Date;
}

/**
 * Founds an account in profile `solo`: one person with a key and an operator that administers it, an agent that answers
 * to that person, the hub's own service, and a policy. Throws INPUT_INVALID (a name), ALREADY_EXISTS.
 */
export async function createAccount(rows: FoundingRows, founding: Founding): Promise<Founded> {
  const { accounts, identity, policy, events } = rows;
  const { accountId, name, isHub, person, agent, tokens, now } = founding;
  const [personId, operatorId, agentId, hubPrincipalId] = [v7(), v7(), v7(), v7()];
  const tokensExpireAt = new Date(now.getTime() + TOKEN_DAYS * DAY_MS);
  for (const text of [name, person.name, agent.name]) refuseBadName(text);
  const operatorName = distinct(person.name, [HUB_PRINCIPAL_NAME]);
  const agentName = distinct(agent.name, [HUB_PRINCIPAL_NAME, operatorName]);
  const key = { keyId: keyId(person.publicKey), personId, algorithm: "ed25519" } as const;

  await accounts.addAccount({ id: accountId, name, profile: "solo", isHub, createdAt: now });
  await identity.addPerson({ id: personId, name: person.name, createdAt: now });
  await identity.addKey({ ...key, publicKey: publicKeyToDer(person.publicKey), enrolledAt: now });
  for (const principal of [
    { id: operatorId, kind: "operator", name: operatorName, personId, roles: ["admin"] },
    { id: agentId, kind: "agent", name: agentName, ownerPersonId: personId, roles: ["agent"] },
    { id: hubPrincipalId, kind: "service", name: HUB_PRINCIPAL_NAME, roles: [HUB_ROLE] },
  ] as const) {
    await identity.addPrincipal({ ...principal, createdAt: now });
  }
  for (const [principalId, token] of [
    [operatorId, tokens.operator],
    [agentId, tokens.agent],
  ] as const) {
    const made = { note: "made with the account", createdBy: operatorId, createdAt: now, expiresAt: tokensExpireAt };
    await identity.addToken({ ...token, principalId, ...made });
  }
  await policy.insert({ version: 1, ...founding.policy, createdBy: operatorId });
  await events.emit({ type: "identity.account_created", subject: `identity/account/${accountId}`, data: { isHub } });
  return { accountId, personId, keyId: key.keyId, operatorId, agentId, hubPrincipalId, tokensExpireAt };
}

function refuseBadName(name: string): void {
  if (displayName.safeParse(name).success) return;
  throw new HubError("INPUT_INVALID", `${JSON.stringify(name)} is no name: 1 to 80 visible characters in one line.`);
}

/** An OS user may well be called "agent": a first start does not fail for that. */
function distinct(name: string, taken: readonly string[]): string {
  return taken.some((other) => other.toLowerCase() === name.toLowerCase()) ? `${name} 2` : name;
}
