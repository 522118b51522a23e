/** For tests of approvals: an account with people, their keys and principals, on a database of its own. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { v7 } from "uuid";
import { buildDecision, type DecisionPredicate, type DecisionWord } from "../../contracts/approval/decision.ts";
import { canonicalize, digest } from "../../contracts/formats/canonical-json.ts";
import { commit } from "../../contracts/formats/commitment.ts";
import { type Envelope, signEnvelope } from "../../contracts/formats/dsse.ts";
import { generateKeyPair, type KeyPair, keyId, publicKeyToDer } from "../../contracts/formats/ed25519.ts";
import type { Ask, Demand } from "../action/approvals.ts";
import type { Approvers, AskedCall } from "../action/approvers.ts";
import type { Caller } from "../action/caller.ts";
import type { Identifier } from "../action/identifier.ts";
import type { Reader, Store, Transaction } from "../action/store.ts";
import { type ApprovalJobs, approvalReader, approvalStore } from "../adapters/postgres/approval-store.ts";
import { Database, type Session } from "../adapters/postgres/database.ts";
import { identityLookup } from "../adapters/postgres/identity-lookup.ts";
import { identityStore } from "../adapters/postgres/identity-store.ts";
import { type TestDatabase, testDatabase } from "../adapters/postgres/test-database.ts";
import type { ApprovalRequest } from "../domain/approvals/approval-store.ts";
import { cancelRequest } from "../domain/approvals/cancel-request.ts";
import { type Decider, decideRequest } from "../domain/approvals/decide-request.ts";
import type { NewEvent } from "../domain/events/event-store.ts";
import { HubError } from "../errors.ts";
import { type ApprovalSettings, DEFAULT_APPROVAL_SETTINGS } from "./approval-settings.ts";
import { createApprovalDesk, createApprovals } from "./approvals.ts";
import type { Cipher } from "./held-call.ts";

export const APPROVE: Demand = { kind: "approve", people: 1, holding: [], rules: [] };
export const TWO_PERSON: Demand = { kind: "approve", people: 2, holding: [], rules: [] };
export const STEWARD = "system.policy.write";

/** What roles hold here. */
const HOLDS: Readonly<Record<string, readonly string[]>> = {
  approver: ["system.approval.decide"],
  steward: ["system.approval.decide", STEWARD],
};
const holds = (roles: readonly string[], permission: string) => roles.some((role) => HOLDS[role]?.includes(permission));

export interface TestPerson {
  readonly personId: string;
  readonly key: KeyPair;
  readonly keyId: string;
  /** Of the person's first operator. */
  readonly principalId: string;
}

/** `jobs` are written down, unless others are given. */
export async function approvalFixture(
  options: {
    profile?: "solo" | "team";
    settings?: Partial<ApprovalSettings>;
    jobs?: ApprovalJobs;
    test?: TestDatabase;
  } = {},
) {
  const test = options.test ?? (await testDatabase());
  const { database } = test;
  const superuser = new Database(test.superuser, { poolSize: 1 });
  const accountId = v7();
  const clock = { now: new Date() };
  const sent: { readonly job: "execute" | "expire"; readonly requestId: string; readonly at?: Date }[] = [];
  const jobs = options.jobs ?? {
    execute: async (_session, { requestId }) => void sent.push({ job: "execute", requestId }),
    expire: async (_session, { requestId }, at) => void sent.push({ job: "expire", requestId, at }),
  };
  const store = storeOf(database, jobs);
  const sql = <R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> =>
    database.transact(accountId, async (session) => (await session.query<R>(text, values)).rows);
  const asSuperuser = (text: string, values: readonly unknown[] = []) =>
    superuser.transact(accountId, (session) => session.query(text, values));

  await sql("insert into account (id, name, profile, is_hub) values ($1, 'test', $2, false)", [
    accountId,
    options.profile ?? "team",
  ]);
  await sql(
    "insert into policy_document (account_id, version, document, hash, created_by) values ($1, 1, '{}', $2, $1)",
    [accountId, digest("{}")],
  );

  const addPrincipal = async (
    kind: Caller["principal"]["kind"],
    personId: string | undefined,
    roles: readonly string[],
  ) => {
    const id = v7();
    await sql(
      "insert into principal (account_id, id, kind, name, person_id, owner_person_id, roles) values ($1, $2, $3, $4, $5, $6, $7)",
      [
        accountId,
        id,
        kind,
        `${kind} ${id}`,
        kind === "operator" ? personId : null,
        kind === "agent" ? personId : null,
        roles,
      ],
    );
    return id;
  };
  const addPerson = async (name: string, roles: readonly string[] = ["approver"]): Promise<TestPerson> => {
    const personId = v7();
    const key = generateKeyPair();
    const id = keyId(key.publicKey);
    await sql("insert into person (account_id, id, name) values ($1, $2, $3)", [accountId, personId, name]);
    await sql(
      "insert into person_key (account_id, key_id, person_id, algorithm, public_key) values ($1, $2, $3, 'ed25519', $4)",
      [accountId, id, personId, publicKeyToDer(key.publicKey)],
    );
    return { personId, key, keyId: id, principalId: await addPrincipal("operator", personId, roles) };
  };

  const identifier: Pick<Identifier, "byPrincipal"> = {
    async byPrincipal(account, principalId) {
      const found = await identityLookup(database).principal(account, principalId);
      if (found === undefined) return { refusal: new HubError("NOT_FOUND", "no such principal") };
      return found.banned ? { refusal: new HubError("PRINCIPAL_BANNED", "banned") } : { caller: found };
    },
  };
  const callerOf = async (principalId: string): Promise<Caller> => {
    const found = await identifier.byPrincipal(accountId, principalId);
    if ("refusal" in found) throw found.refusal;
    return found.caller;
  };
  const forbidden = new Set<string>();
  const asked: AskedCall[] = [];
  const approvers: Approvers = {
    mayDecide: async ({ principal }, permission) => holds(principal.roles, permission),
    mayHold: async ({ principal }, permission, call) => {
      asked.push(call);
      return holds(principal.roles, permission) && !forbidden.has(principal.id);
    },
    rolesHold: holds,
  };
  const keys = testCipher();
  const approvals = createApprovals({
    hub: { id: "hub-under-test" },
    store,
    identifier,
    keys,
    approvers,
    settings: { ...DEFAULT_APPROVAL_SETTINGS, ...options.settings },
    now: () => clock.now,
  });

  const desk = createApprovalDesk({ keys, approvers });
  const ask = async (principalId: string, change: Partial<Ask> & { input?: string } = {}): Promise<Ask> => {
    const { input = '{"replicas":5}', ...rest } = change;
    const { digest: inputCommitment, salt } = commit(Buffer.from(input));
    return {
      caller: await callerOf(principalId),
      channel: "mcp",
      now: clock.now,
      action: "system_fleet_put_object",
      schemaDigest: digest("schema"),
      canonicalInput: input,
      inputMac: Buffer.from(digest(`mac ${input}`), "hex"),
      salt,
      inputCommitment,
      demand: APPROVE,
      target: { type: "FleetObject", id: "Template/web", version: "1" },
      preview: {
        headline: "An agent asks to change Template/web",
        changes: [{ field: "replicas", before: "3", after: "5" }],
      },
      ...rest,
    };
  };
  const open = async (principalId: string, change: Partial<Ask> & { input?: string } = {}) => {
    const asked = await ask(principalId, change);
    return store.transact(accountId, (tx) => approvals.open(tx, asked));
  };
  const request = (requestId: string): Promise<ApprovalRequest> =>
    store.read(accountId, (read) => read.approvals.get(requestId));

  /** What the person's command line makes. */
  const sign = async (
    person: TestPerson,
    requestId: string,
    decision: DecisionWord = "approve",
    change: Partial<DecisionPredicate> & { about?: string; key?: KeyPair } = {},
  ): Promise<Envelope> => {
    const { about = requestId, key = person.key, ...predicate } = change;
    const { statementDigest, previewDigest } = await request(requestId);
    const payload = buildDecision(about, {
      decision,
      personId: person.personId,
      decidedAt: clock.now.toISOString(),
      previewDigest,
      requestDigest: statementDigest,
      ...(decision === "reject" && { reason: "not now" }),
      ...predicate,
    });
    return signEnvelope(payload, key);
  };
  const decideAs = async (
    principalId: string,
    input: { requestId: string; decision?: DecisionWord; envelope?: unknown; reason?: string },
  ) => {
    const caller = await callerOf(principalId);
    const mayHold: Decider["holds"] = (permission, about) => desk.mayHold(caller, permission, about);
    return store.transact(accountId, (tx) =>
      decideRequest(tx, { decision: "approve", ...input }, { ...caller, holds: mayHold }, clock.now),
    );
  };

  return {
    accountId,
    database,
    store,
    sql,
    /** For what the runtime role may not: changing what was signed. */
    asSuperuser,
    clock,
    sent,
    approvals,
    desk,
    /** Principals whom a condition of the policy forbids the call that is asked for. */
    forbidden,
    /** What approvers were weighed against. */
    asked,
    addPerson,
    addPrincipal,
    callerOf,
    ask,
    open,
    request,
    sign,
    decideAs,
    /** Signs and decides as the person. */
    decide: async (person: TestPerson, requestId: string, decision: DecisionWord = "approve") =>
      decideAs(person.principalId, { requestId, decision, envelope: await sign(person, requestId, decision) }),
    cancel: (requestId: string, by: string) =>
      store.transact(accountId, (tx) => cancelRequest(tx, requestId, by, clock.now)),
    /** As the journal does in the intent's transaction. */
    spend: (requestId: string): Promise<boolean> =>
      sql("select hub_spend($1, $2, $3, true)", [accountId, requestId, v7()]).then(
        () => true,
        (error: { code: string }) => {
          if (error.code === "CS002") return false;
          throw error;
        },
      ),
    ban: (principalId: string) =>
      sql("insert into ban (account_id, id, principal_id, reason, banned_by) values ($1, $2, $3, 'test', $3)", [
        accountId,
        v7(),
        principalId,
      ]),
    revokeKey: (person: TestPerson) =>
      sql("update person_key set revoked_at = now() where key_id = $1", [person.keyId]),
    events: async (): Promise<string[]> =>
      (await sql<{ type: string }>("select type from event order by id")).map(({ type }) => type),
    later: (ms: number) => {
      clock.now = new Date(clock.now.getTime() + ms);
    },
    async [Symbol.asyncDispose]() {
      await superuser.close();
      if (options.test === undefined) await test[Symbol.asyncDispose]();
    },
  };
}

/** The areas of a store that approvals use, and that touch them. */
export function storeOf(database: Database, jobs: ApprovalJobs): Store {
  return {
    read: (accountId, fn, signal) =>
      database.read(accountId, (session) => fn({ approvals: approvalReader(session) } as unknown as Reader), signal),
    transact: (accountId, fn, signal) =>
      database.transact(
        accountId,
        (session) =>
          fn({
            approvals: approvalStore(session, accountId, jobs),
            identity: identityStore(session),
            events: eventsOf(session, accountId),
          } as unknown as Transaction),
        signal,
      ),
  };
}

function eventsOf(session: Session, accountId: string) {
  return {
    async emit({ type, subject, data }: NewEvent): Promise<void> {
      await session.query("insert into event (account_id, id, type, subject, data) values ($1, $2, $3, $4, $5)", [
        accountId,
        v7(),
        type,
        subject,
        data,
      ]);
    },
  };
}

/** Encrypts as the key service does, with one key of the test's own. */
export function testCipher(): Cipher {
  const key = randomBytes(32);
  return {
    async encrypt(accountId, keyName, plaintext, { associatedData = Buffer.alloc(0) } = {}) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(
        Buffer.concat([Buffer.from(accountId + keyName), associatedData]),
      );
      const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
      return `vault:v1:${Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64")}`;
    },
    async decrypt(accountId, keyName, ciphertext, { associatedData = Buffer.alloc(0) } = {}) {
      const bytes = Buffer.from(ciphertext.slice("vault:v1:".length), "base64");
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12))
        .setAAD(Buffer.concat([Buffer.from(accountId + keyName), associatedData]))
        .setAuthTag(bytes.subarray(-16));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
      } catch (cause) {
        throw new HubError("CIPHERTEXT_INVALID", "the ciphertext does not open", { cause });
      }
    },
  };
}

/** What `open` keeps of an executed call. */
export const RESULT = canonicalize({ output: { replicas: 5 }, summary: "changed", receipt: { id: "r" } });
