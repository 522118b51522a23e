import type { Reader, Store, Transaction } from "../../action/store.ts";
import { type ApprovalJobs, approvalReader, approvalStore } from "./approval-store.ts";
import type { Database, Session } from "./database.ts";
import { eventStore } from "./event-store.ts";
import { fleetStore } from "./fleet-store.ts";
import { idempotencyStore } from "./idempotency-store.ts";
import { identityStore } from "./identity-store.ts";
import { outcomeStore } from "./outcome-store.ts";
import { policyStore } from "./policy-store.ts";
import { receiptStore } from "./receipt-store.ts";

/** Every area's rows on one transaction of the database. Areas that a call does not touch cost nothing. */
export function postgresStore(database: Pick<Database, "read" | "transact">, jobs: ApprovalJobs): Store {
  return {
    read: (accountId, fn, signal) => database.read(accountId, (session) => fn(reader(session)), signal),
    transact: (accountId, fn, signal) =>
      database.transact(accountId, (session) => fn(transaction(session, accountId, jobs)), signal),
  };
}

function reader(session: Session): Reader {
  return {
    get identity() {
      return identityStore(session);
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
  };
}

function transaction(session: Session, accountId: string, jobs: ApprovalJobs): Transaction {
  return {
    get identity() {
      return identityStore(session);
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
    get outcomes() {
      return outcomeStore(session);
    },
    get idempotency() {
      return idempotencyStore(session);
    },
  };
}
