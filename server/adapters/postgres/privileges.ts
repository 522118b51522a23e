import type { Privileges } from "./grants.ts";

/** What the runtime role may do where that is not the default for a table (grants.ts says what the default is). */
export const PRIVILEGES: Privileges = {
  // who somebody is stays on record: identities end by a ban, a revocation or their time, and are never deleted
  account: ["select", "insert", "update (profile)"],
  person: ["select", "insert", "update (name)"],
  // a certificate is renewed under the same fingerprint
  person_key: ["select", "insert", "update (public_key, expires_at, revoked_at, revoked_by)"],
  principal: ["select", "insert", "update (roles, version)"],
  token: ["select", "insert", "update (last_used_at, revoked_at, revoked_by)"],
  ban: ["select", "insert", "update (lifted_at, lifted_by, lift_reason)"],
  invitation: ["select", "insert", "update (sha256, accepted_at, person_id, cancelled_at, cancelled_by)"],
  claim: ["select", "insert", "update (claimed_at, claimed_by)"],
  // what a request is bound to never changes, and nothing that was decided is deleted
  approval_request: [
    "select",
    "insert",
    "update (state, execution_expires_at, held, result, result_expires_at, error_code, error_message, closed_at, version)",
  ],
  approval_decision: [
    "select",
    "insert",
    "update (principal_id, decision, assurance, holding, key_id, envelope, envelope_digest, reason, decided_at)",
  ],
  // receipts name the policy that judged them: it never changes or goes
  policy_document: ["select", "insert"],
  // a new root key wraps secrets anew, trimming and deleting destroy them; what a version is never changes
  key_version: ["select", "insert", "update (wrapped)", "delete"],
  // the journal is written by hub_* functions alone; an outcome is staged by the effect's own transaction
  journal_epoch: ["select"],
  lane: ["select"],
  lane_certificate: ["select"],
  receipt: ["select"],
  lane_commit: ["select"],
  lane_node: ["select"],
  in_flight: ["select"],
  outcome_staged: ["select", "insert"],
  spent_confirmation: ["select"],
  account_log: ["select"],
  log_entry: ["select"],
  lane_integrated: ["select"],
  // its position is the integrator's to give
  event: ["select", "insert"],
};
