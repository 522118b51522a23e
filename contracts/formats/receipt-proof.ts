import { hash, type KeyObject } from "node:crypto";
import * as z from "zod";
import { HubError } from "../../server/errors.ts";
import { decodeBase64 } from "./base64.ts";
import { keyId, publicKeyFromPem } from "./ed25519.ts";
import { formatJsonPath } from "./json-path.ts";
import { type LaneCertificate, verifyLaneCertificate } from "./lane-certificate.ts";
import { verifyCommit } from "./lane-commit.ts";
import { HASH_LENGTH, leafHash, verifyInclusion } from "./merkle.ts";
import { lacksIntent, parseReceipt, type ReceiptPredicate } from "./receipt-statement.ts";

const inclusion = z.array(z.string()).max(63).readonly();

/** A receipt with everything that proves it offline, but the account's root key, which the reader must know. */
export const receiptProof = z.strictObject({
  receipt: z.strictObject({
    id: z.string(),
    callId: z.string(),
    phase: z.enum(["intent", "outcome"]),
    action: z.string(),
    principalId: z.string().optional(),
    code: z.string(),
    at: z.iso.datetime({ precision: 3 }),
    position: z.int().min(0).optional().describe("place in the account's log; nothing here proves it"),
  }),
  statement: z.string().describe("in-toto statement, canonical JSON, byte for byte what is hashed into the lane"),
  lane: z.strictObject({
    origin: z.string(),
    epoch: z.int().min(1),
    sequence: z.int().min(0),
    size: z.int().min(1),
    rootHash: z.string().describe("Base64"),
    inclusion: inclusion.describe("RFC 6962 path of the entry in the lane, Base64"),
  }),
  commit: z.strictObject({
    note: z.string().describe("C2SP signed checkpoint over the heads of all lanes of the commit"),
    laneIndex: z.int().min(0),
    inclusion: inclusion.describe("RFC 6962 path of the lane's head in the commit, Base64"),
  }),
  certificate: z.string().describe("DSSE envelope in which the root key certifies the key that signed the note"),
  rootKey: z.string().describe("SPKI PEM: compare it with the key that you know to be the account's"),
});

export type PortableProof = z.output<typeof receiptProof>;

export interface ProvenReceipt {
  readonly receipt: ReceiptPredicate;
  readonly certificate: LaneCertificate;
  readonly commitNo: number;
  /** Hex id of the root key that everything rests on. */
  readonly rootKeyId: string;
}

/**
 * Verifies a proof from the statement up to the root key. `rootKey` is the account's key as the reader knows it; without
 * it the proof shows only that whoever holds the key it brings along made it. Throws PROOF_INVALID with a sentence that
 * says which step fails. The position is not proven.
 */
export function verifyReceiptProof(proof: unknown, known: { rootKey?: KeyObject } = {}): ProvenReceipt {
  const { receipt: row, statement, lane, commit, certificate: text, rootKey: pem } = read(proof);
  const rootKey = step("the root key", () => publicKeyFromPem(pem));
  const trusted = known.rootKey ?? rootKey;
  if (keyId(trusted) !== keyId(rootKey)) refuse("the root key", "it is not the one that is known to be the account's");
  const certificate = step("the certificate", () =>
    verifyLaneCertificate(text, (key) => keyId(key) === keyId(trusted)),
  );
  if (certificate.origin !== lane.origin || certificate.epoch.no !== lane.epoch) {
    refuse("the certificate", "it is for another lane");
  }

  const bytes = Buffer.from(statement);
  const receipt = step("the statement", () => parseReceipt(bytes));
  const entry = hash("sha256", bytes, "buffer");
  if (receipt.lane.epoch !== lane.epoch || receipt.lane.sequence !== lane.sequence) {
    refuse("the statement", "it names another place in the lane");
  }
  if (lane.origin !== `${certificate.epoch.origin}/${receipt.account}`) {
    refuse("the statement", "it belongs to another account than the lane");
  }
  if (lacksIntent(receipt)) refuse("the statement", "an approved change names no intent");
  checkSummary(row, receipt);
  checkTime(receipt, certificate);

  const root = hashes([lane.rootHash], "the lane's root")[0] as Buffer;
  const path = hashes(lane.inclusion, "the path in the lane");
  const claim = { index: lane.sequence, size: lane.size, leafHash: leafHash(entry), proof: path, root };
  if (!verifyInclusion(claim)) refuse("the path in the lane", "it does not lead from the statement to the lane's root");
  const commitNo = step("the commit", () =>
    verifyCommit({
      note: commit.note,
      epochOrigin: certificate.epoch.origin,
      processKey: certificate.processKey,
      head: { origin: lane.origin, size: lane.size, root },
      laneIndex: commit.laneIndex,
      path: hashes(commit.inclusion, "the path in the commit"),
    }),
  );
  return { receipt, certificate, commitNo, rootKeyId: keyId(trusted) };
}

/**
 * An intent happens within the key's validity; an outcome may be older than the lane that it was sequenced in, never
 * younger than the key. Throws PROOF_INVALID.
 */
export function checkTime(receipt: ReceiptPredicate, { notBefore, notAfter }: LaneCertificate): void {
  const time = new Date(receipt.time);
  if (time > notAfter || (receipt.phase === "intent" && time < notBefore)) {
    refuse("the statement", "its time lies outside of the validity of the key that signed it");
  }
}

function checkSummary(row: PortableProof["receipt"], receipt: ReceiptPredicate): void {
  const same =
    row.id === `${receipt.callId}.${receipt.phase}` &&
    row.callId === receipt.callId &&
    row.phase === receipt.phase &&
    row.action === receipt.action &&
    row.principalId === receipt.principal?.id &&
    row.code === receipt.code &&
    row.at === receipt.time;
  if (!same) refuse("the summary", "it says something else than the statement");
}

function read(proof: unknown): PortableProof {
  const { success, data, error } = receiptProof.safeParse(proof);
  if (success) return data;
  const path = formatJsonPath((error.issues[0]?.path ?? []) as (string | number)[]);
  throw new HubError("PROOF_INVALID", `This is no proof of a receipt: see ${path || "its top level"}.`, {
    path,
    cause: error,
  });
}

function hashes(texts: readonly string[], what: string): Buffer[] {
  return texts.map((text) => {
    const bytes = decodeBase64(text);
    if (bytes?.length !== HASH_LENGTH) refuse(what, `a hash has ${HASH_LENGTH} bytes, in Base64`);
    return bytes;
  });
}

function step<T>(what: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    if (error.code === "PROOF_INVALID") throw error;
    throw new HubError("PROOF_INVALID", `The proof fails at ${what}. ${error.message}`, { cause: error });
  }
}

function refuse(what: string, reason: string): never {
  throw new HubError("PROOF_INVALID", `The proof fails at ${what}: ${reason}.`);
}
