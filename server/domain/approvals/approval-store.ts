import type { DecisionWord } from "../../../contracts/approval/decision.ts";
import type { RequestState } from "../../../contracts/approval/request-view.ts";
import type { PersonKey } from "../../../contracts/identity/person-key.ts";
import type { Page, PageRequest } from "../page.ts";

export type PrincipalKind = "operator" | "agent" | "service";
export type Assurance = "signed" | "hub-attested";

/** A call that waits for people, or waited. */
export interface ApprovalRequest {
  readonly id: string;
  /** As written; `stateAt` says what it counts as now. */
  readonly state: RequestState;
  readonly action: string;
  readonly schemaDigest: string;
  readonly requester: {
    readonly id: string;
    readonly kind: PrincipalKind;
    readonly name: string;
    /** The person that an operator is. */
    readonly personId?: string;
    /** The person that an agent answers to. */
    readonly ownerPersonId?: string;
  };
  readonly profile: "solo" | "team";
  /** Canonical in-toto statement, see contracts/approval/request.ts. */
  readonly statement: string;
  readonly statementDigest: string;
  /** Canonical JSON of the escaped preview. */
  readonly preview: string;
  readonly previewDigest: string;
  /** Encrypted; absent once nothing can be executed any more. */
  readonly held?: string;
  readonly inputMac: Buffer;
  readonly demand: RequestDemand;
  readonly target: { readonly type: string; readonly id: string; readonly version?: string };
  readonly policyHash: string;
  readonly approvalExpiresAt: Date;
  readonly executionExpiresAt: Date;
  readonly executionCallId?: string;
  /** Encrypted for the requester; absent before the end and after it was deleted. */
  readonly result?: string;
  readonly errorCode?: string;
  /** For the requester alone. */
  readonly errorMessage?: string;
  readonly createdAt: Date;
  readonly closedAt?: Date;
}

export interface RequestDemand {
  readonly kind: "approve";
  readonly people: 1 | 2;
  readonly holding: readonly string[];
  readonly rules: readonly string[];
}

/** One person's word on a request. */
export interface ApprovalDecision {
  readonly id: string;
  readonly requestId: string;
  readonly personId: string;
  readonly personName: string;
  readonly principalId: string;
  readonly decision: DecisionWord;
  readonly assurance: Assurance;
  /** The permissions, of those that the request asks for, that the person held when deciding. */
  readonly holding: readonly string[];
  readonly keyId?: string;
  /** Canonical JSON of the DSSE envelope. */
  readonly envelope?: string;
  /** Hex SHA-256 of `envelope`. */
  readonly envelopeDigest?: string;
  readonly reason?: string;
  readonly decidedAt: Date;
}

/** A key that a person enrolled, whoever it is. */
export interface SigningKey extends PersonKey {
  readonly personId: string;
  readonly expiresAt?: Date;
  readonly revokedAt?: Date;
}

/** A person with a live key, and the roles of one operator of theirs that is not banned. */
export interface Candidate {
  readonly personId: string;
  readonly roles: readonly string[];
}

export interface RequestFilter {
  readonly state?: RequestState | undefined;
  readonly action?: string | undefined;
  readonly requesterId?: string | undefined;
}

export interface ApprovalReader {
  /** Newest first. States are those that count at `now`. */
  list(filter: RequestFilter, page: PageRequest, now: Date): Promise<Page<ApprovalRequest>>;
  /** Throws NOT_FOUND. */
  get(requestId: string): Promise<ApprovalRequest>;
  /** Undefined where there is no such request: what a target looks up before authorisation says that it exists. */
  find(requestId: string): Promise<ApprovalRequest | undefined>;
  /** Oldest first. */
  decisions(requestId: string): Promise<ApprovalDecision[]>;
  key(keyId: string): Promise<SigningKey | undefined>;
  /** One row an operator; a person with two operators appears twice. */
  candidates(): Promise<Candidate[]>;
}

export type NewRequest = Omit<
  ApprovalRequest,
  "state" | "executionCallId" | "result" | "errorCode" | "errorMessage" | "closedAt"
> & {
  readonly held: string;
};
export type NewDecision = Omit<ApprovalDecision, "personName">;

/** How a request ends. What was held goes away with it. */
export interface Closing {
  readonly state: Exclude<RequestState, "open" | "approved" | "executing">;
  readonly at: Date;
  readonly result?: string;
  readonly resultExpiresAt?: Date;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

export interface ApprovalWriter {
  /** Waits for other transactions that open requests of this principal: counting and merging happen one at a time. */
  lockRequester(principalId: string): Promise<void>;
  /** The open requests of a principal, overdue ones included. */
  openOf(principalId: string): Promise<ApprovalRequest[]>;
  /** The requests of a principal that could still run, open or approved, overdue ones included; locked. */
  pendingOf(principalId: string): Promise<ApprovalRequest[]>;
  /** The requests about a thing that could still run, open or approved; locked. */
  pendingAbout(targetType: string, targetId: string): Promise<ApprovalRequest[]>;
  insert(request: NewRequest): Promise<void>;
  /** The request, locked until the transaction ends. Throws NOT_FOUND. */
  lock(requestId: string): Promise<ApprovalRequest>;
  /** Keeps a decision; in place of an earlier one of the same person, where `replaces` names it. */
  decide(decision: NewDecision, replaces?: string): Promise<void>;
  /** open -> approved. */
  approve(requestId: string, executionExpiresAt: Date): Promise<void>;
  /** Whether the request was in one of `from` and is closed now. */
  close(requestId: string, from: readonly RequestState[], closing: Closing): Promise<boolean>;
  /** Deletes results that are kept no longer; whether there was one. */
  forgetResult(requestId: string, now: Date): Promise<boolean>;
  /** A job, sent with this transaction, that executes the approved request. */
  enqueueExecution(requestId: string): Promise<void>;
  /** A job, sent with this transaction, that looks at `at` whether something of the request is due to expire. */
  enqueueExpiry(requestId: string, at: Date): Promise<void>;
}
