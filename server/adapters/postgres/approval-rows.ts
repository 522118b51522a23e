import type { ApprovalDecision, ApprovalRequest } from "../../domain/approvals/approval-store.ts";

export const REQUESTS = `select r.id, r.state, r.action, r.schema_digest, r.requester_id, r.requester_kind, p.name as requester_name,
  r.requester_person_id, r.owner_person_id, r.profile, r.statement, r.statement_digest, r.preview, r.preview_digest, r.held,
  r.input_mac, r.demand_kind, r.demand_people, r.demand_holding, r.demand_rules, r.target_type, r.target_id,
  r.target_version, r.policy_hash, r.approval_expires_at, r.execution_expires_at, r.execution_call_id, r.result,
  r.error_code, r.error_message, r.created_at, r.closed_at
  from approval_request r join principal p on p.account_id = r.account_id and p.id = r.requester_id`;

export const DECISIONS = `select d.id, d.request_id, d.person_id, s.name as person_name, d.principal_id, d.decision, d.assurance,
  d.holding, d.key_id, d.envelope, d.envelope_digest, d.reason, d.decided_at
  from approval_decision d join person s on s.account_id = d.account_id and s.id = d.person_id`;

export interface RequestRow {
  id: string;
  state: ApprovalRequest["state"];
  action: string;
  schema_digest: string;
  requester_id: string;
  requester_kind: ApprovalRequest["requester"]["kind"];
  requester_name: string;
  requester_person_id: string | null;
  owner_person_id: string | null;
  profile: ApprovalRequest["profile"];
  statement: string;
  statement_digest: string;
  preview: string;
  preview_digest: string;
  held: string | null;
  input_mac: Buffer;
  demand_kind: "approve";
  demand_people: 1 | 2;
  demand_holding: string[];
  demand_rules: string[];
  target_type: string;
  target_id: string;
  target_version: string | null;
  policy_hash: string;
  approval_expires_at: Date;
  execution_expires_at: Date;
  execution_call_id: string | null;
  result: string | null;
  error_code: string | null;
  error_message: string | null;
  created_at: Date;
  closed_at: Date | null;
}

export interface DecisionRow {
  id: string;
  request_id: string;
  person_id: string;
  person_name: string;
  principal_id: string;
  decision: ApprovalDecision["decision"];
  assurance: ApprovalDecision["assurance"];
  holding: string[];
  key_id: string | null;
  envelope: string | null;
  envelope_digest: string | null;
  reason: string | null;
  decided_at: Date;
}

export function requestOf(row: RequestRow): ApprovalRequest {
  return {
    id: row.id,
    state: row.state,
    action: row.action,
    schemaDigest: row.schema_digest,
    requester: {
      id: row.requester_id,
      kind: row.requester_kind,
      name: row.requester_name,
      ...(row.requester_person_id !== null && { personId: row.requester_person_id }),
      ...(row.owner_person_id !== null && { ownerPersonId: row.owner_person_id }),
    },
    profile: row.profile,
    statement: row.statement,
    statementDigest: row.statement_digest,
    preview: row.preview,
    previewDigest: row.preview_digest,
    ...(row.held !== null && { held: row.held }),
    inputMac: row.input_mac,
    demand: {
      kind: row.demand_kind,
      people: row.demand_people,
      holding: row.demand_holding,
      rules: row.demand_rules,
    },
    target: {
      type: row.target_type,
      id: row.target_id,
      ...(row.target_version !== null && { version: row.target_version }),
    },
    policyHash: row.policy_hash,
    approvalExpiresAt: row.approval_expires_at,
    executionExpiresAt: row.execution_expires_at,
    ...(row.execution_call_id !== null && { executionCallId: row.execution_call_id }),
    ...(row.result !== null && { result: row.result }),
    ...(row.error_code !== null && { errorCode: row.error_code }),
    ...(row.error_message !== null && { errorMessage: row.error_message }),
    createdAt: row.created_at,
    ...(row.closed_at !== null && { closedAt: row.closed_at }),
  };
}

export function decisionOf(row: DecisionRow): ApprovalDecision {
  return {
    id: row.id,
    requestId: row.request_id,
    personId: row.person_id,
    personName: row.person_name,
    principalId: row.principal_id,
    decision: row.decision,
    assurance: row.assurance,
    holding: row.holding,
    ...(row.key_id !== null && { keyId: row.key_id }),
    ...(row.envelope !== null && { envelope: row.envelope }),
    ...(row.envelope_digest !== null && { envelopeDigest: row.envelope_digest }),
    ...(row.reason !== null && { reason: row.reason }),
    decidedAt: row.decided_at,
  };
}
