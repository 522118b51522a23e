import assert from "node:assert/strict";
import { v7 } from "uuid";
import { digest } from "../../../contracts/formats/canonical-json.ts";
import { generateKeyPair, type KeyPair, publicKeyToBase64 } from "../../../contracts/formats/ed25519.ts";
import {
  formatSecret,
  generateSecret,
  INVITATION_PREFIX,
  parseSecret,
  secretDigest,
  TOKEN_PREFIX,
} from "../../../contracts/identity/bearer-secret.ts";
import { proveEnrolment } from "../../../contracts/identity/enrolment.ts";
import type { Role } from "../../../contracts/identity/principal.ts";
import { uncatalogued } from "../../../contracts/telemetry/events.ts";
import type { NewEvent } from "../../domain/events/event-store.ts";
import { type AcceptInput, acceptInvitation } from "../../domain/identity/accept-invitation.ts";
import type { ActingCall } from "../../domain/identity/acting-call.ts";
import type { BanChange } from "../../domain/identity/ban-principal.ts";
import { claimSecret } from "../../domain/identity/claim-secret.ts";
import { createAccount, type Founded } from "../../domain/identity/create-account.ts";
import type { IdentityDirectory, IdentityReader } from "../../domain/identity/identity-store.ts";
import { invitePerson } from "../../domain/identity/invite-person.ts";
import { accountWriter } from "./account-store.ts";
import { type AdministrativeReads, administrativeReads } from "./administrative-reads.ts";
import { type ApprovalJobs, approvalStore } from "./approval-store.ts";
import type { Database } from "./database.ts";
import { identityDirectory } from "./identity-directory.ts";
import { identityReader } from "./identity-reader.ts";
import { identityStore } from "./identity-store.ts";
import { policyStore } from "./policy-store.ts";
import { testDatabase } from "./test-database.ts";

export const DAY_MS = 86_400_000;
const NO_JOBS: ApprovalJobs = { async execute() {}, async expire() {} };

export interface MadeToken {
  readonly id: string;
  readonly sha256: Buffer;
  readonly text: string;
}

export function makeToken(): MadeToken {
  const id = v7();
  const secret = generateSecret();
  return { id, sha256: secretDigest(secret), text: formatSecret(TOKEN_PREFIX, { id, secret }) };
}

export interface TestAccount extends Founded {
  readonly key: KeyPair;
  readonly tokens: { readonly operator: MadeToken; readonly agent: MadeToken };
  /** What the account's changes emitted, whether or not their transactions committed. */
  readonly events: NewEvent[];
  change<T>(fn: (tx: BanChange) => Promise<T>): Promise<T>;
  read<T>(fn: (identity: IdentityReader) => Promise<T>): Promise<T>;
  readonly directory: IdentityDirectory;
  /** A call by the first operator, Ada, unless another principal is named. */
  callAt(now: Date, principal?: ActingCall["caller"]["principal"]): ActingCall;
}

export interface IdentityDatabase extends AsyncDisposable {
  readonly database: Database;
  readonly administration: AdministrativeReads;
}

export async function identityDatabase(): Promise<IdentityDatabase> {
  const made = await testDatabase();
  const administration = administrativeReads(made.runtime);
  return {
    database: made.database,
    administration,
    async [Symbol.asyncDispose]() {
      await administration[Symbol.asyncDispose]();
      await made[Symbol.asyncDispose]();
    },
  };
}

/** An account as the hub founds one: Ada administers it, "bot" is her agent. */
export async function foundAccount(
  { database, administration }: IdentityDatabase,
  { isHub = false, now = new Date(), personName = "Ada", agentName = "bot" } = {},
): Promise<TestAccount> {
  const accountId = v7();
  const key = generateKeyPair();
  const tokens = { operator: makeToken(), agent: makeToken() };
  const events: NewEvent[] = [];
  const emitted = {
    async emit(event: NewEvent) {
      assert.equal(uncatalogued(event), undefined);
      events.push(event);
    },
  };
  const document = "{}";
  const founded = await database.transact(accountId, (session) =>
    createAccount(
      {
        accounts: accountWriter(session),
        identity: identityStore(session),
        policy: policyStore(session),
        events: emitted,
      },
      {
        ...{ accountId, name: "Laboratory", isHub, now, key, tokens },
        person: { name: personName, publicKey: key.publicKey },
        agent: { name: agentName },
        policy: { document, hash: digest(document) },
      },
    ),
  );
  const ada = { id: founded.operatorId, kind: "operator", name: "Ada", personId: founded.personId } as const;
  return {
    ...{ ...founded, key, tokens, events },
    change: (fn) =>
      database.transact(accountId, (session) =>
        fn({
          identity: identityStore(session),
          events: emitted,
          approvals: approvalStore(session, accountId, NO_JOBS),
        }),
      ),
    read: (fn) => database.read(accountId, (session) => fn(identityReader(session))),
    directory: identityDirectory(administration, accountId),
    callAt: (now, principal = ada) => ({ now, caller: { principal } }),
  };
}

export interface Invitee {
  readonly invitationId: string;
  readonly key: KeyPair;
  readonly token: MadeToken;
  readonly accept: AcceptInput;
}

/** What a person holds who was invited by Ada, got the code and made a key and a token. */
export async function invite(account: TestAccount, personName: string, roles: Role[], now: Date): Promise<Invitee> {
  const call = account.callAt(now);
  const input = { personName, roles, expiresInDays: 7 };
  const { invitationId, claimId } = await account.change((tx) => invitePerson(tx, input, call));
  const { secret: code } = await account.change((tx) => claimSecret(tx, { claimId }, call));
  return { invitationId, ...answerInvitation(code) };
}

export function answerInvitation(
  code: string,
  key = generateKeyPair(),
  token = makeToken(),
): Omit<Invitee, "invitationId"> {
  const invitation = parseSecret(INVITATION_PREFIX, code);
  if (!invitation) throw new Error("not an invitation code");
  const accept = {
    ...{ code, publicKey: publicKeyToBase64(key.publicKey), proof: proveEnrolment({ invitation, token }, key) },
    token: { id: token.id, sha256: token.sha256.toString("hex") },
  };
  return { key, token, accept };
}

/** A further person, from invitation to operator. */
export async function join(account: TestAccount, personName: string, roles: Role[], now: Date) {
  const { accept, key, token } = await invite(account, personName, roles, now);
  const { principal } = await account.change((tx) => acceptInvitation(tx, accept, { now }));
  const { id, name, person } = principal;
  if (!person) throw new Error("an operator is a person");
  return { key, token, principal: { id, kind: "operator", name, personId: person.id } as const };
}

/** How many succeeded, and the codes of the others. */
export async function race(attempts: readonly Promise<unknown>[]): Promise<{ won: number; lost: string[] }> {
  const results = await Promise.allSettled(attempts);
  const lost = results.flatMap((result) =>
    result.status === "rejected" ? [String(result.reason.code ?? result.reason)] : [],
  );
  return { won: results.length - lost.length, lost };
}

type Change = (tx: BanChange) => Promise<unknown>;

/**
 * Two changes at once, for certain: the second runs while the first has done its work and not committed, until it ends
 * or waits for the first.
 */
export async function overlap(database: Database, account: TestAccount, first: Change, second: Change = first) {
  let other: Promise<unknown> = Promise.resolve();
  const one = account.change(async (tx) => {
    await first(tx);
    other = account.change(second);
    await endsOrWaits(database, other);
  });
  await one.catch(() => {});
  return race([one, other]);
}

async function endsOrWaits(database: Database, change: Promise<unknown>): Promise<void> {
  const state = { ended: false, waits: 0 };
  const end = () => {
    state.ended = true;
  };
  change.then(end, end);
  const text = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  while (!state.ended && state.waits === 0) state.waits = (await database.query(text)).rowCount;
}
