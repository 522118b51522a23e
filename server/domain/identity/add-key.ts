import { decodeBase64 } from "../../../contracts/formats/base64.ts";
import { claimedKeyId } from "../../../contracts/formats/dsse.ts";
import {
  type OpenPgpCertificate,
  readCertificate,
  standingOf,
} from "../../../contracts/formats/openpgp/certificate.ts";
import { mergeCertificates } from "../../../contracts/formats/openpgp/merge-certificates.ts";
import { type SignedWhen, verifyOpenPgpSignature } from "../../../contracts/formats/openpgp/signature.ts";
import { keyEnrolmentBytes, readKeyEnrolment } from "../../../contracts/identity/key-enrolment.ts";
import { CLOCK_SKEW_MS, type PersonKeyShape, verifyPersonEnvelope } from "../../../contracts/identity/person-key.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";
import type { IdentityReader } from "./identity-store.ts";
import type { PersonKeyRow, PersonRow } from "./rows.ts";
import { keyView } from "./views.ts";

/** Keys of one person that sign: more than anybody keeps track of. */
const MAX_LIVE_KEYS = 10;
/** Longer than a call may wait for approval. */
const ENROLMENT_VALID_MS = 2 * 86_400_000;

export interface AddKeyInput {
  /** Armoured OpenPGP certificate. */
  readonly certificate: string;
  /** Envelope around the enrolment statement, by a key that the person has. */
  readonly endorsement: unknown;
  /** The new key's detached signature over the same bytes, Base 64. */
  readonly proof: string;
}

export interface AddedKey {
  readonly key: PersonKeyShape;
  /** The key was enrolled before; its certificate is a newer one now. */
  readonly renewed: boolean;
}

/**
 * Enrols a further key of the caller's own person, or renews the certificate of one that is enrolled. A token is not
 * enough: a key that the person has signs that it is meant, and the new one that its holder agrees. Throws INPUT_INVALID
 * (no usable certificate), PROOF_INVALID (one of the two signatures), ALREADY_EXISTS (another person's key, or one that
 * was revoked), CONFLICT (too many keys).
 */
export async function addKey(
  { identity, events }: IdentityChange,
  input: AddKeyInput,
  call: ActingCall,
): Promise<AddedKey> {
  const person = await personOf(identity, call);
  await identity.lockAccount();
  const { certificate, expiresAt, known } = await judge(identity, input, person, call.now);
  const { keyId, bytes: publicKey } = certificate;
  const { now, caller } = call;
  const key: PersonKeyRow = {
    ...{ keyId, personId: person.id, algorithm: "openpgp", publicKey },
    enrolledAt: known?.enrolledAt ?? now,
    ...(expiresAt && { expiresAt }),
  };
  if (known) await identity.renewKey(keyId, key);
  else await identity.addKey(key);
  await events.emit({
    type: "identity.key_added",
    subject: `identity/person/${person.id}`,
    data: {
      ...{ keyId, renewed: known !== undefined, by: caller.principal.id },
      ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
    },
  });
  return { key: keyView({ ...key, person }, now), renewed: known !== undefined };
}

/** What approvers see where a policy asks for them; refuses what could never succeed. */
export async function previewAddKey(identity: IdentityReader, input: AddKeyInput, call: ActingCall): Promise<Preview> {
  const person = await personOf(identity, call);
  const { certificate, expiresAt, known } = await judge(identity, input, person, call.now);
  const { fingerprint, userIds } = certificate;
  return {
    headline: known
      ? `${person.name} asks to renew the OpenPGP key that decisions may be signed with`
      : `${person.name} asks to sign decisions with a further key of their own, an OpenPGP key`,
    changes: [
      { field: "fingerprint", after: fingerprint },
      ...userIds.map((userId) => ({ field: "calls its holder", after: userId })),
      { field: "expires", after: expiresAt ? expiresAt.toISOString() : "never" },
    ],
  };
}

async function personOf(identity: IdentityReader, { caller }: Pick<ActingCall, "caller">): Promise<PersonRow> {
  const { personId } = caller.principal;
  const person = personId === undefined ? undefined : await identity.person(personId);
  if (person) return person;
  throw new HubError("FORBIDDEN", "Only people have signing keys, and add their own.");
}

interface Judged {
  /** As it will be kept: with what an earlier one of the same key said. */
  readonly certificate: OpenPgpCertificate;
  readonly expiresAt?: Date;
  /** The same key, enrolled before. */
  readonly known?: PersonKeyRow;
}

async function judge(identity: IdentityReader, input: AddKeyInput, person: PersonRow, now: Date): Promise<Judged> {
  const sent = await readCertificate(input.certificate);
  const known = await identity.key(sent.keyId);
  if (known) refuseStrange(known, person);
  else if ((await identity.liveKeys(person.id, now)) >= MAX_LIVE_KEYS) {
    const message = `You have ${MAX_LIVE_KEYS} keys that sign; revoke one that is not needed any more.`;
    throw new HubError("CONFLICT", message, { path: "certificate" });
  }
  // an old certificate brings nothing back that the owner has revoked or ended since
  const certificate = known ? await mergeCertificates(await readCertificate(known.publicKey), sent) : sent;
  // a key that was made a moment ago, by a clock that is ahead, is good already
  const { expiresAt } = await standingOf(certificate, new Date(now.getTime() + CLOCK_SKEW_MS));
  const payload = await refuseUnendorsed(identity, input, { sent, certificate }, person, now);
  await refuseUnproven(certificate, payload, input.proof, now);
  return { certificate, ...(expiresAt && { expiresAt }), ...(known && { known }) };
}

function refuseStrange(known: PersonKeyRow, person: PersonRow): void {
  const path = "certificate";
  if (known.personId !== person.id)
    throw new HubError("ALREADY_EXISTS", "This key is enrolled for another person: a key belongs to one.", { path });
  if (known.revokedAt)
    throw new HubError("ALREADY_EXISTS", "This key was revoked here, which cannot be undone; make a new one.", {
      path,
    });
}

/** Answers with the statement's bytes, signed by a key that the person has. A key that is renewed speaks for itself. */
async function refuseUnendorsed(
  identity: IdentityReader,
  { endorsement }: AddKeyInput,
  { sent, certificate }: { readonly sent: OpenPgpCertificate; readonly certificate: OpenPgpCertificate },
  person: PersonRow,
  now: Date,
): Promise<Buffer> {
  const { keyId, bytes } = sent;
  try {
    const endorser = await identity.key(claimedKeyId(endorsement));
    if (endorser?.personId !== person.id) throw unproven("endorsement", "its key is none of this person's");
    if (endorser.revokedAt) throw unproven("endorsement", "its key was revoked");
    const isItself = endorser.keyId === keyId;
    if (!isItself && endorser.expiresAt && endorser.expiresAt <= now)
      throw unproven("endorsement", "its key has expired");
    const key = isItself ? { ...endorser, publicKey: certificate.bytes } : endorser;
    const payload = await verifyPersonEnvelope(endorsement, key, signedWhen(now));
    const { id: account } = await identity.account();
    const { requestedAt } = readKeyEnrolment(payload, { account, personId: person.id, keyId, certificate: bytes });
    const { from, until } = signedWhen(now);
    if (requestedAt < from || requestedAt > until)
      throw unproven("endorsement", "it is too old, or dated in the future");
    return payload;
  } catch (error) {
    throw proofFault("endorsement", error);
  }
}

async function refuseUnproven(
  certificate: OpenPgpCertificate,
  payload: Buffer,
  proof: string,
  now: Date,
): Promise<void> {
  const signature = decodeBase64(proof);
  if (signature === undefined) throw unproven("proof", "it is not in Base 64");
  try {
    await verifyOpenPgpSignature(certificate, keyEnrolmentBytes(payload), signature, signedWhen(now));
  } catch (error) {
    throw proofFault("proof", error);
  }
}

function signedWhen(now: Date): SignedWhen {
  const [from, until] = [now.getTime() - ENROLMENT_VALID_MS, now.getTime() + CLOCK_SKEW_MS];
  return { from: new Date(from), until: new Date(until), now };
}

function unproven(path: "endorsement" | "proof", reason: string, cause?: unknown): HubError {
  const what = path === "proof" ? "The new key's proof" : "The signature of the key that you have";
  return new HubError("PROOF_INVALID", `${what} is refused: ${reason}.`, { path, cause });
}

function proofFault(path: "endorsement" | "proof", error: unknown): unknown {
  if (!(error instanceof HubError) || !["ENVELOPE_INVALID", "INPUT_INVALID"].includes(error.code)) return error;
  return unproven(path, error.message.replace(/^.*?refused: |\.$/g, ""), error);
}
