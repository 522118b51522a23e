import type { Privileges } from "./grants.ts";

/** What the runtime role may do where that is not the default for a table (grants.ts says what the default is). */
export const PRIVILEGES: Privileges = {
  // who somebody is stays on record: identities end by a ban, a revocation or their time, and are never deleted
  // the floor and the version of an account's key only grow, which the walk's own statements see to
  account: ["select", "insert", "update (profile, transit_key_version, transit_key_rotated_at, transit_key_floor)"],
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
  // who it is, and since when, never changes; a rewrap writes the wrapped key alone
  credential: [
    "select",
    "insert",
    "update (description, username, allowed_hosts, consumers, expires_at, rotate_every_days, version, material_version, wrapped_key, sealed, salt, digest, provided_at, last_used_at, updated_at)",
    "delete",
  ],
  credential_claim: ["select", "insert", "update (used_at, replaced_at)"],
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
  // the owner of the tables writes them; hub_* functions say what became of them
  recovery_note: ["select"],
  // how a rotation went stays on record
  key_rotation: ["select", "insert", "update (paused_at, paused_by, pace, finalized_at)"],
  key_follow_up: ["select", "insert", "update (soak_until, soaked_at)"],
  key_walk_batch: ["select", "insert"],
  key_walk_failure: ["select", "insert"],
  key_check_finding: ["select", "insert"],
  // which backups there are stays on record; hub_* functions say what each needs of whose key
  backup: ["select", "insert", "update (finished_at, bytes, records, digest, retired_at, retired_by)"],
  backup_key: ["select"],
  // its position is the integrator's to give
  event: ["select", "insert"],
};
