import type { Reader, Store, Transaction } from "../../action/store.ts";
import type { AdministrativeReads } from "./administrative-reads.ts";
import { type ApprovalJobs, approvalReader, approvalStore } from "./approval-store.ts";
import { backupRows } from "./backup-store.ts";
import { credentialReader, credentialStore } from "./credential-store.ts";
import type { Database, Session, WriteSession } from "./database.ts";
import { eventStore } from "./event-store.ts";
import { fleetStore } from "./fleet-store.ts";
import { gitopsReader } from "./gitops-reader.ts";
import { gitopsStore } from "./gitops-store.ts";
import { idempotencyStore } from "./idempotency-store.ts";
import { identityDirectory } from "./identity-directory.ts";
import { identityReader } from "./identity-reader.ts";
import { identityStore } from "./identity-store.ts";
import { lazyRead } from "./lazy-read.ts";
import { type OperationJobs, operationReader, operationStore } from "./operation-store.ts";
import { outcomeStore } from "./outcome-store.ts";
import { policyStore } from "./policy-store.ts";
import { receiptStore } from "./receipt-store.ts";
import { rotationReader } from "./rotation-reader.ts";
import { rotationStore } from "./rotation-store.ts";
import { targetLock } from "./target-lock.ts";

/** Every area's rows on one transaction of the database. Areas that a call does not touch cost nothing. */
export function postgresStore(
  database: Pick<Database, "read" | "transact">,
  jobs: ApprovalJobs & OperationJobs,
  administration: AdministrativeReads,
): Store {
  return {
    read: (accountId, fn, signal) =>
      lazyRead(database, accountId, (session) => fn(reader(session, accountId, administration)), signal),
    transact: (accountId, fn, signal) =>
      database.transact(accountId, (session) => fn(transaction(session, accountId, jobs, administration)), signal),
  };
}

function reader(session: Session, accountId: string, administration: AdministrativeReads): Reader {
  return {
    get identity() {
      return { ...identityReader(session), ...identityDirectory(administration, accountId) };
    },
    get policy() {
      return policyStore(session);
    },
    get approvals() {
      return approvalReader(session);
    },
    get receipts() {
      return receiptStore(session);
    },
    get events() {
      return eventStore(session);
    },
    get fleet() {
      return fleetStore(session);
    },
    get gitops() {
      return gitopsReader(session);
    },
    get credentials() {
      return credentialReader(session);
    },
    get operations() {
      return operationReader(session);
    },
    get rotation() {
      return rotationReader(session);
    },
    get backups() {
      return backupRows(session);
    },
  };
}

function transaction(
  session: WriteSession,
  accountId: string,
  jobs: ApprovalJobs & OperationJobs,
  administration: AdministrativeReads,
): Transaction {
  return {
    get identity() {
      return { ...identityStore(session), ...identityDirectory(administration, accountId) };
    },
    get policy() {
      return policyStore(session);
    },
    get approvals() {
      return approvalStore(session, accountId, jobs);
    },
    get receipts() {
      return receiptStore(session);
    },
    get events() {
      return eventStore(session);
    },
    get fleet() {
      return fleetStore(session);
    },
    get gitops() {
      return gitopsStore(session);
    },
    get credentials() {
      return credentialStore(session);
    },
    get operations() {
      return operationStore(session, accountId, jobs);
    },
    get rotation() {
      return rotationStore(session);
    },
    get backups() {
      return backupRows(session);
    },
    get outcomes() {
      return outcomeStore(session);
    },
    get targets() {
      return targetLock(session);
    },
    get idempotency() {
      return idempotencyStore(session);
    },
  };
}
