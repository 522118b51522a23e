import type { KeyObject } from "node:crypto";
import { HubError } from "../../server/errors.ts";
import { decodeBase64 } from "./base64.ts";
import { HASH_LENGTH } from "./merkle.ts";
import { signNote, type VerifierKey, verifyNote } from "./signed-note.ts";

/** Checkpoints of a log as c2sp.org/tlog-checkpoint has them: the text of a signed note, `origin\nsize\nbase64(root)\n`. */
export interface Checkpoint {
  /** The log's identity: a URL without scheme, such as `countersign.example/log/1`. */
  origin: string;
  /** How many entries the tree has. */
  size: number;
  /** The root of the RFC 6962 tree, 32 bytes. */
  root: Buffer;
  /** Lines of the log's own after these three; nobody audits them. */
  extensions?: readonly string[];
}

/** The note text of a checkpoint. Throws PROOF_INVALID where a field does not fit the format. */
export function checkpointText({ origin, size, root, extensions = [] }: Checkpoint): string {
  const lines = [origin, ...extensions];
  if (lines.some((line) => line === "" || line.includes("\n"))) throw refusal("origin and extensions are single lines");
  if (!Number.isSafeInteger(size) || size < 0) throw refusal("its size is an integer from 0 to 2^53-1");
  if (root.length !== HASH_LENGTH) throw refusal(`its root has ${HASH_LENGTH} bytes`);
  return [origin, String(size), root.toString("base64"), ...extensions].map((line) => `${line}\n`).join("");
}

/** Reads the text of a note, verified or not, as a checkpoint. Throws PROOF_INVALID. */
export function parseCheckpointText(text: string): Checkpoint {
  if (!text.endsWith("\n")) throw refusal("its last line has no end");
  const lines = text.slice(0, -1).split("\n");
  const [origin, size, encodedRoot, ...extensions] = lines;
  if (origin === undefined || size === undefined || encodedRoot === undefined || lines.includes("")) {
    throw refusal("it has at least three lines and no empty ones");
  }
  const root = decodeBase64(encodedRoot);
  if (root?.length !== HASH_LENGTH) throw refusal(`its root is no Base 64 of ${HASH_LENGTH} bytes`);
  const treeSize = parseDecimal(size);
  if (treeSize === undefined) throw refusal("its size is no integer from 0 to 2^53-1");
  return { origin, size: treeSize, root, ...(extensions.length > 0 && { extensions }) };
}

/** Signs a checkpoint under the log's own name, which is its origin. */
export function signCheckpoint(checkpoint: Checkpoint, key: { privateKey: KeyObject; publicKey: KeyObject }): string {
  return signNote(checkpointText(checkpoint), { name: checkpoint.origin, ...key });
}

/**
 * Verifies a signed checkpoint with the log's key. The key's name must be the origin, so that the key of one log cannot
 * speak for another. Throws PROOF_INVALID.
 */
export function verifyCheckpoint(note: string, logKey: VerifierKey): Checkpoint {
  const checkpoint = parseCheckpointText(verifyNote(note, [logKey]).text);
  if (checkpoint.origin !== logKey.name) throw refusal("its origin is not the log whose key signed it");
  return checkpoint;
}

/** An integer from 0 to 2^53-1 in decimal digits without leading zeroes; undefined where it is none. */
export function parseDecimal(digits: string): number | undefined {
  const value = Number(digits);
  return /^(?:0|[1-9][0-9]*)$/.test(digits) && Number.isSafeInteger(value) ? value : undefined;
}

function refusal(reason: string): HubError {
  return new HubError("PROOF_INVALID", `The checkpoint is refused: ${reason}.`);
}
