import type { KeyObject } from "node:crypto";
import { hash } from "node:crypto";
import { HubError } from "../../server/errors.ts";
import { decodeBase64 } from "./base64.ts";
import { publicKeyFromRaw, publicKeyToRaw, sign, verify } from "./ed25519.ts";

/** Signed notes as c2sp.org/signed-note has them: text that any number of named keys sign. Ed25519 signatures only. */

/** The signature type of plain Ed25519 in key ids and verifier keys. */
const ED25519 = 0x01;
const KEY_ID_LENGTH = 4;
/** Characters and signatures that a note may have; the specification asks for 16 signatures at least. */
const LONGEST_NOTE = 1_000_000;
const MOST_SIGNATURES = 100;

/** A key that notes are verified with, as its name and id tell it in signature lines. */
export interface VerifierKey {
  name: string;
  /** Eight hexadecimal digits. */
  id: string;
  publicKey: KeyObject;
}

export interface NoteSignature {
  name: string;
  /** Eight hexadecimal digits. */
  keyId: string;
  signature: Buffer;
}

export interface Note {
  /** What is signed, its last newline included. */
  text: string;
  /** In the note's order; claims until they are verified. */
  signatures: NoteSignature[];
}

/** The id of an Ed25519 key under a name: the first 4 bytes of SHA-256(name || 0x0A || 0x01 || key), in hexadecimal. */
export function noteKeyId(name: string, publicKey: KeyObject): string {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), publicKeyToRaw(publicKey)]);
  return hash("sha256", input, "hex").slice(0, 2 * KEY_ID_LENGTH);
}

/** A verifier key in its published form: `name+id+base64(0x01 || key)`. Throws PROOF_INVALID for a name that cannot be. */
export function verifierKey(name: string, publicKey: KeyObject): string {
  requireKeyName(name);
  const key = Buffer.concat([Buffer.of(ED25519), publicKeyToRaw(publicKey)]);
  return `${name}+${noteKeyId(name, publicKey)}+${key.toString("base64")}`;
}

/** Reads a verifier key and checks that its id is that of its key. Throws PROOF_INVALID. */
export function parseVerifierKey(text: string): VerifierKey {
  const [name, id, encoded, ...more] = splitVerifierKey(text);
  const key = decodeBase64(encoded ?? "");
  if (name === undefined || id === undefined || more.length > 0 || !isKeyName(name) || key?.[0] !== ED25519) {
    throw refusal("a verifier key is name+id+key, with an Ed25519 key");
  }
  let publicKey: KeyObject;
  try {
    publicKey = publicKeyFromRaw(key.subarray(1));
  } catch (cause) {
    throw refusal("the verifier key holds no Ed25519 key", cause);
  }
  if (noteKeyId(name, publicKey) !== id) throw refusal("the verifier key's id is not that of its name and key");
  return { name, id, publicKey };
}

/** Signs a text that ends in a newline, as the note with one signature. Throws PROOF_INVALID for texts that are no note's. */
export function signNote(text: string, signer: { name: string; privateKey: KeyObject; publicKey: KeyObject }): string {
  requireText(text);
  const signature = sign(Buffer.from(text), signer.privateKey);
  return assembleNote(text, [{ name: signer.name, keyId: noteKeyId(signer.name, signer.publicKey), signature }]);
}

/** A note out of its text and signatures over that text's UTF-8 bytes which were made elsewhere. Throws PROOF_INVALID. */
export function assembleNote(text: string, signatures: readonly NoteSignature[]): string {
  requireText(text);
  if (signatures.length === 0) throw refusal("a note has a signature");
  let note = `${text}\n`;
  for (const { name, keyId, signature } of signatures) {
    requireKeyName(name);
    note += `— ${name} ${Buffer.concat([Buffer.from(keyId, "hex"), signature]).toString("base64")}\n`;
  }
  return note;
}

/** Splits a note without verifying it: nothing in it counts yet. Throws PROOF_INVALID. */
export function parseNote(note: string): Note {
  if (note.length > LONGEST_NOTE) throw refusal("it is too long");
  // the text may hold empty lines: signatures follow the last one
  const border = note.lastIndexOf("\n\n");
  if (border < 0 || !note.endsWith("\n")) throw refusal("it has no signatures");
  const text = note.slice(0, border + 1);
  requireText(text);
  const lines = note.slice(border + 2, -1).split("\n");
  if (lines.length > MOST_SIGNATURES) throw refusal("it has too many signatures");
  return { text, signatures: lines.map(parseSignatureLine) };
}

/**
 * Verifies a note and returns it with the signatures that count, in the note's order. Signatures of unknown keys are
 * ignored, also where they share the name or the id of a known one; one of a known key that does not verify spoils the
 * note. Throws PROOF_INVALID, also where no known key signed.
 */
export function verifyNote(note: string, keys: readonly VerifierKey[]): Note {
  const { text, signatures } = parseNote(note);
  const bytes = Buffer.from(text);
  const verified = signatures.filter(({ name, keyId, signature }) => {
    const key = keys.find((known) => known.name === name && known.id === keyId);
    if (key === undefined) return false;
    if (!verify(bytes, signature, key.publicKey)) throw refusal(`the signature of ${name} does not verify`);
    return true;
  });
  if (verified.length === 0) throw refusal("no known key signed it");
  return { text, signatures: verified };
}

function parseSignatureLine(line: string): NoteSignature {
  const match = /^— ([^ ]+) ([^ ]+)$/.exec(line);
  const name = match?.[1];
  const bytes = decodeBase64(match?.[2] ?? "");
  if (name === undefined || !isKeyName(name) || bytes === undefined || bytes.length <= KEY_ID_LENGTH) {
    throw refusal("a signature line is malformed");
  }
  return { name, keyId: bytes.toString("hex", 0, KEY_ID_LENGTH), signature: bytes.subarray(KEY_ID_LENGTH) };
}

/** `name+id+key` in its parts; the Base 64 of the key may hold plus signs of its own. */
function splitVerifierKey(text: string): string[] {
  const first = text.indexOf("+");
  const second = text.indexOf("+", first + 1);
  if (first < 0 || second < 0) return [text];
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)];
}

function isKeyName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name);
}

function requireKeyName(name: string): void {
  if (!isKeyName(name)) throw refusal("a key's name is not empty and holds neither white space nor a plus sign");
}

function requireText(text: string): void {
  if (!text.endsWith("\n") || !text.isWellFormed() || holdsControlCharacters(text)) {
    throw refusal("its text ends in a newline and holds no control characters");
  }
}

/** Those below U+0020 but newline: the ones that the specification forbids. */
function holdsControlCharacters(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}

function refusal(reason: string, cause?: unknown): HubError {
  return new HubError("PROOF_INVALID", `The signed note is refused: ${reason}.`, { cause });
}
