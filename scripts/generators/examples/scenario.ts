import { hash } from "node:crypto";
import { v7 } from "uuid";
import { generateKeyPair, publicKeyToBase64 } from "../../../contracts/formats/ed25519.ts";
import { readCertificate } from "../../../contracts/formats/openpgp/certificate.ts";
import {
  generateSecret,
  INVITATION_PREFIX,
  parseSecret,
  secretDigest,
} from "../../../contracts/identity/bearer-secret.ts";
import { proveEnrolment } from "../../../contracts/identity/enrolment.ts";
import { keyEnrolmentBytes, keyEnrolmentPayload } from "../../../contracts/identity/key-enrolment.ts";
import { scratchOpenPgpKey } from "./scratch-openpgp-key.ts";
import { type Example, type Stage, Walk } from "./walk.ts";

const MODULE = {
  kind: "Module",
  name: "nginx",
  labels: { tier: "web" },
  spec: {
    version: "1.4.0",
    source: "https://modules.example/nginx",
    digest: `sha256:${hash("sha256", "nginx 1.4.0")}`,
  },
};

const TEMPLATE = {
  kind: "Template",
  name: "web",
  labels: { team: "shop" },
  spec: {
    version: "1.0.0",
    parameters: { replicas: { type: "integer", required: true } },
    modules: [MODULE.name],
  },
};

const POLICY = { apiVersion: "countersign/v1", kind: "Policy" };

/** With a fault: there is no role "night". */
const FAULTY_POLICY = {
  ...POLICY,
  authorization: {
    cedar:
      '@id("night-shift")\n@why("At night nobody deletes.")\nforbid (principal in Rolle::"night", action, resource);',
  },
  intervention: { rules: [] },
};

const STRICTER_POLICY = {
  ...POLICY,
  authorization: { cedar: "" },
  intervention: {
    rules: [
      {
        id: "deleting",
        why: "What is deleted is gone: two people agree.",
        actions: ["system_fleet_delete_object"],
        outcome: { approve: 2, holding: "system.approval.decide" },
      },
    ],
  },
};

/** Texts in the inputs that are meant as they are. */
export const WRITTEN = [MODULE.spec.digest];

/**
 * Every action once, in the order in which a new account meets them. Where an action is shown more than once, the first
 * stands for it.
 */
export async function walkThrough(stage: Stage): Promise<readonly Example[]> {
  const walk = new Walk(stage);
  await walk.show("agent", "system_identity_whoami");
  const created = await changeFleet(walk);
  await readFleet(walk);
  await followGit(walk);
  await keepCredential(walk);
  await governByPolicy(walk);
  await manageAccess(walk);
  await manageKeys(walk);
  await rotateKeys(walk);
  await keepBackups(walk);
  await growTeam(walk);
  await readJournal(walk, created);
  return walk.examples;
}

/** Answers with the id of the first executed call. */
async function changeFleet(walk: Walk): Promise<string> {
  const { callId } = await walk.showApproved(
    "agent",
    "system_fleet_put_object",
    { object: MODULE },
    async (requestId) => {
      await walk.show("operator", "system_approval_list_requests", { state: "open" });
      await walk.show("operator", "system_approval_get_request", { requestId });
      await walk.show("operator", "system_approval_decide_request", await walk.signature(requestId));
    },
  );
  await walk.showApproved("agent", "system_fleet_put_object", { object: TEMPLATE });
  const changed = { ...TEMPLATE, spec: { ...TEMPLATE.spec, version: "1.1.0" } };
  const requestId = await walk.ask("agent", "system_fleet_put_object", { object: changed, expectedVersion: 1 });
  await walk.show("agent", "system_operations_get", { operationId: requestId });
  await walk.show("agent", "system_approval_cancel_request", { requestId });
  const operationId = await walk.ask("agent", "system_fleet_put_object", { object: changed, expectedVersion: 1 });
  await walk.show("agent", "system_operations_list", { mine: true, limit: 2 });
  await walk.show("agent", "system_operations_cancel", { operationId });
  return callId;
}

async function readFleet(walk: Walk): Promise<void> {
  await walk.show("agent", "system_fleet_get_object", { kind: "Template", name: "web" });
  await walk.show("agent", "system_fleet_list_objects", { labels: { team: "shop" } });
  const told = ({ items }: Readonly<Record<string, unknown>>) => (items as unknown[]).length > 0;
  await walk.showWhen("agent", "system_events_list", { subject: "fleet/Template/web" }, told);
  await walk.showApproved("agent", "system_fleet_delete_object", { kind: "Template", name: "web", expectedVersion: 1 });
}

const FLEET_FILE = (replicas: number) => `apiVersion: countersign/v1
kind: Fleet
templates:
  - name: shop
    spec:
      version: 1.0.0
      parameters:
        replicas: { type: integer, default: ${replicas} }
`;

/** Given by a person in the walk; nobody uses it. */
export const GIVEN_SECRET = "example-of-a-token-0123456789";

const CREDENTIAL = {
  name: "forge",
  kind: "git-https",
  description: "Reads the shop's private repositories",
  username: "reader",
  allowedHosts: ["git.example.com"],
  consumers: ["gitops"],
  rotateEveryDays: 90,
};

/** Kept without its secret, which a person gives; narrowed, tried, and gone. Another one is lost, and given up. */
async function keepCredential(walk: Walk): Promise<void> {
  const name = CREDENTIAL.name;
  await walk.showApproved("agent", "system_credentials_store", CREDENTIAL);
  await walk.show("operator", "system_credentials_provide_secret", { name, secret: GIVEN_SECRET });
  await walk.show("agent", "system_credentials_update_scope", { name, consumers: ["gitops/shop"] });
  await walk.show("agent", "system_credentials_get_metadata", { name });
  await walk.show("agent", "system_credentials_list");
  await walk.show("agent", "system_credentials_test", { name });
  await walk.showApproved("agent", "system_credentials_rotate", { name });
  await walk.showApproved("operator", "system_credentials_delete", { name });
  const { output } = await walk.showApproved("agent", "system_credentials_store", { ...CREDENTIAL, name: "lost" });
  await walk.loseCredential("lost");
  const { id: credentialId } = output["credential"] as { readonly id: string };
  await walk.showApproved("operator", "system_credentials_forget", { credentialId });
}

/** A commit becomes a proposal, is applied, and drifts; the next is rejected, and the repository goes. */
async function followGit(walk: Walk): Promise<void> {
  const { url } = walk.repository;
  walk.repository.commit({ "fleet.yaml": FLEET_FILE(2) }, "Declare the shop");
  await walk.showApproved("agent", "system_gitops_register_repository", { name: "shop", url });
  const proposalId = await syncGit(walk);
  await walk.show("agent", "system_gitops_list_proposals", { repository: "shop", state: "open" });
  await walk.show("agent", "system_gitops_get_proposal", { proposalId });
  await walk.showApproved("agent", "system_gitops_apply_proposal", { proposalId });

  const object = { kind: "Template", name: "shop", spec: { version: "1.0.1" } };
  await walk.showApproved("operator", "system_fleet_put_object", { object, expectedVersion: 1 });
  const isTold = ({ objects }: Readonly<Record<string, unknown>>) =>
    (objects as { receiptId: string | null }[])[0]?.receiptId !== null;
  await walk.showWhen("agent", "system_gitops_get_drift_report", { repository: "shop" }, isTold);

  walk.repository.commit({ "fleet.yaml": FLEET_FILE(3) }, "Three replicas");
  const next = await syncGit(walk);
  const reason = "Three are too many before the sale is over.";
  await walk.show("operator", "system_gitops_reject_proposal", { proposalId: next, reason });
  await walk.show("agent", "system_gitops_get_repository", { repository: "shop" });
  await walk.show("agent", "system_gitops_list_repositories");
  await walk.show("agent", "system_gitops_list_sync_runs", { repository: "shop" });
  await walk.showApproved("operator", "system_gitops_remove_repository", { repository: "shop" });
}

/** Answers with the proposal that the sync made. */
async function syncGit(walk: Walk): Promise<string> {
  const { run } = await walk.show("agent", "system_gitops_sync_repository", { repository: "shop" });
  const { id: runId } = run as { id: string };
  const isOver = (output: Readonly<Record<string, unknown>>) => (output.run as { status: string }).status !== "pending";
  await walk.showWhen("agent", "system_gitops_get_sync_run", { runId }, isOver);
  const ended = walk.examples.at(-1)?.answer.output as { run: { proposals: { id: string }[] } };
  return ended.run.proposals[0]?.id ?? "";
}

async function governByPolicy(walk: Walk): Promise<void> {
  await walk.show("operator", "system_policy_get");
  await walk.show("operator", "system_policy_lint", { document: FAULTY_POLICY });
  await walk.show("operator", "system_policy_simulate", {
    action: "system_fleet_delete_object",
    input: { kind: "Module", name: "nginx", expectedVersion: 1 },
    document: STRICTER_POLICY,
  });
  await walk.showApproved("operator", "system_policy_put", { document: STRICTER_POLICY, baseVersion: 1 });
}

async function manageAccess(walk: Walk): Promise<void> {
  const service = { kind: "service", name: "deploy pipeline", roles: ["agent"] };
  const { output } = await walk.showApproved("operator", "system_identity_create_principal", service);
  const { id: principalId } = output.principal as { id: string };
  const token = { principalId, note: "continuous integration", validDays: 30 };
  const granted = await walk.showApproved("operator", "system_identity_issue_token", token);
  const { id: tokenId } = await walk.show("operator", "system_identity_claim_secret", {
    claimId: granted.output.claimId,
  });
  await walk.show("operator", "system_identity_list_principals", { kind: "service" });
  await walk.show("operator", "system_identity_revoke_token", { tokenId });
  await walk.show("operator", "system_identity_ban_principal", { principalId, reason: "its pipeline was taken over" });
  await walk.show("operator", "system_identity_list_bans");
  await walk.showApproved("operator", "system_identity_unban_principal", {
    principalId,
    reason: "the pipeline is ours again",
  });
}

/** The operator takes an OpenPGP key into use, and out of it again. */
async function manageKeys(walk: Walk): Promise<void> {
  const me = (await walk.show("operator", "system_identity_whoami")) as unknown as Self;
  const made = await scratchOpenPgpKey("Ada");
  const { keyId, bytes } = await readCertificate(made.certificate);
  const personId = me.principal.person.id;
  const payload = keyEnrolmentPayload({
    ...{ account: me.account.id, personId, keyId },
    ...{ requestedAt: new Date().toISOString(), certificate: bytes },
  });
  await walk.show("operator", "system_identity_add_key", {
    certificate: made.certificate,
    endorsement: walk.endorse(payload),
    proof: (await made.sign(keyEnrolmentBytes(payload))).toString("base64"),
  });
  await walk.show("operator", "system_identity_list_keys", { personId, live: true });
  await walk.show("operator", "system_identity_revoke_key", { keyId });
}

/**
 * A rotation that is paused in the second or so in which everything is carried over, and the walk waits until every process
 * knows the new version. Where the machine let that pass, another one is begun.
 */
async function pausedRotation(walk: Walk): Promise<string> {
  const carried = ({ rotation }: Readonly<Record<string, unknown>>) => {
    const { accounts, payloads } = rotation as {
      readonly payloads: number;
      readonly accounts: { readonly total: number; readonly done: number };
    };
    return accounts.done === accounts.total && payloads > 0;
  };
  for (let tries = 1; ; tries++) {
    const asked = await walk.showApproved("agent", "system_rotate_vault_transit_pepper", { ratePerSecond: 2_000 });
    const { id: rotationId } = asked.output.rotation as { id: string };
    try {
      await walk.showWhen("agent", "system_vault_get_rotation", { rotationId }, carried);
      await walk.show("operator", "system_vault_pause_rotation", { rotationId });
      return rotationId;
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

/** The transit pepper is rotated, everything is verified, and the old versions go. */
async function rotateKeys(walk: Walk): Promise<void> {
  await walk.show("operator", "system_vault_list_accounts", { olderThanDays: 90 });
  const rotationId = await pausedRotation(walk);
  type Work = {
    readonly state: string;
    readonly finalizedAt?: string | null;
  };
  await walk.show("operator", "system_vault_resume_rotation", { rotationId });
  const completed = ({ rotation }: Readonly<Record<string, unknown>>) => (rotation as Work).state === "completed";
  await walk.showWhen("agent", "system_vault_get_rotation", { rotationId }, completed);
  const begun = await walk.show("operator", "system_vault_verify_credentials");
  const { id: verificationId } = begun.verification as { id: string };
  const verified = ({ verification }: Readonly<Record<string, unknown>>) =>
    (verification as Work).state === "completed";
  await walk.showWhen("operator", "system_vault_get_verification", { verificationId }, verified);
  await walk.showApproved("operator", "system_vault_finalize_rotation", { rotationId, soakMinutes: 0 });
  const finalized = ({ rotation }: Readonly<Record<string, unknown>>) => (rotation as Work).finalizedAt !== null;
  await walk.showWhen("agent", "system_vault_get_rotation", { rotationId }, finalized);
  await walk.showApproved("operator", "system_vault_trim_key", { rotationId });
  await walk.show("operator", "system_vault_list_rotations");
  await walk.show("operator", "system_vault_list_batches", { rotationId });
}

/** One that was made on the command line, and whose file is no more. */
async function keepBackups(walk: Walk): Promise<void> {
  await walk.makeBackup();
  const { items } = await walk.show("operator", "system_backup_list");
  const [backup] = items as { readonly id: string }[];
  await walk.showApproved("operator", "system_backup_retire", { backupId: backup?.id });
}

interface Self {
  readonly account: { readonly id: string };
  readonly principal: { readonly person: { readonly id: string } };
}

async function growTeam(walk: Walk): Promise<void> {
  const grace = { personName: "Grace", roles: ["operator", "approver"] };
  const invited = await walk.showApproved("operator", "system_identity_invite_person", grace);
  const { secret } = await walk.show("operator", "system_identity_claim_secret", { claimId: invited.output.claimId });
  await walk.show("invitee", "system_identity_accept_invitation", acceptance(String(secret)), String(secret));

  const other = { personName: "Linus", roles: ["reader"] };
  const { output } = await walk.showApproved("operator", "system_identity_invite_person", other);
  await walk.show("operator", "system_identity_cancel_invitation", { invitationId: output.invitationId });
  await walk.showApproved("operator", "system_identity_set_profile", { profile: "team" });
}

/** What whoever holds an invitation makes on their own machine. */
function acceptance(code: string) {
  const invitation = parseSecret(INVITATION_PREFIX, code);
  if (!invitation) throw new Error("the claimed secret is no invitation code");
  const key = generateKeyPair();
  const token = { id: v7(), sha256: secretDigest(generateSecret()) };
  return {
    code,
    publicKey: publicKeyToBase64(key.publicKey),
    proof: proveEnrolment({ invitation, token }, key),
    token: { id: token.id, sha256: token.sha256.toString("hex") },
  };
}

async function readJournal(walk: Walk, callId: string): Promise<void> {
  await walk.showWhen("operator", "system_journal_list_receipts", { callId }, ({ items }) => {
    return (items as unknown[]).length === 2;
  });
  await walk.show("operator", "system_journal_get_receipt", { id: `${callId}.outcome` });
  // besides its standing limit it names receipts that are not in the log yet, for as long as there are some
  await walk.showWhen("operator", "system_journal_verify", {}, ({ limits }) => (limits as unknown[]).length === 1);
}
