import { HubError } from "../../server/errors.ts";
import { decodeBase64 } from "./base64.ts";
import { parseDecimal } from "./checkpoint.ts";
import { HASH_LENGTH } from "./merkle.ts";

/**
 * The portable proof that a log holds an entry (c2sp.org/tlog-proof): index, inclusion proof and signed checkpoint in one
 * text. What it says counts once the checkpoint is verified and the proof leads to its root.
 */
export interface TlogProof {
  /** The entry's place in the log, from 0. */
  index: number;
  /** From the leaf's sibling to the root's child, 32 bytes each. */
  proof: Buffer[];
  /** The signed note, as the log published it. */
  checkpoint: string;
  /** Bytes with a meaning of the application's own; nobody signed them. */
  extra?: Buffer;
}

const HEADER = "c2sp.org/tlog-proof@v1";
/** More than a tree of 2^63 leaves needs. */
const LONGEST_PROOF = 63;

/** The text of a proof. Throws PROOF_INVALID where a part does not fit the format. */
export function buildTlogProof({ index, proof, checkpoint, extra }: TlogProof): string {
  if (!Number.isSafeInteger(index) || index < 0) throw refusal("its index is an integer from 0 to 2^53-1");
  if (proof.length > LONGEST_PROOF || proof.some((hash) => hash.length !== HASH_LENGTH)) throw refusal(HASHES_EXPECTED);
  const lines = [HEADER];
  if (extra !== undefined) lines.push(`extra ${extra.toString("base64")}`);
  lines.push(`index ${index}`, ...proof.map((hash) => hash.toString("base64")), "");
  return `${lines.join("\n")}\n${checkpoint}`;
}

/** Splits the text of a proof; nothing in it is verified. Throws PROOF_INVALID. */
export function parseTlogProof(text: string): TlogProof {
  const border = text.indexOf("\n\n");
  if (border < 0) throw refusal("it has no checkpoint");
  const [header, ...lines] = text.slice(0, border).split("\n");
  if (header !== HEADER) throw refusal(`its first line is ${HEADER}`);
  const extra = lines[0]?.startsWith("extra ") ? decodeBase64(lines.shift()?.slice("extra ".length) ?? "") : null;
  if (extra === undefined) throw refusal("its extra data is not in Base 64");
  const indexLine = lines.shift();
  const index = indexLine?.startsWith("index ") ? parseDecimal(indexLine.slice("index ".length)) : undefined;
  if (index === undefined) throw refusal("it has no index from 0 to 2^53-1");
  const proof = lines.map((line) => decodeBase64(line));
  if (proof.length > LONGEST_PROOF || !proof.every((hash) => hash?.length === HASH_LENGTH))
    throw refusal(HASHES_EXPECTED);
  return {
    index,
    proof: proof as Buffer[],
    checkpoint: text.slice(border + 2),
    ...(extra !== null && { extra }),
  };
}

const HASHES_EXPECTED = `its proof is at most ${LONGEST_PROOF} hashes of ${HASH_LENGTH} bytes`;

function refusal(reason: string): HubError {
  return new HubError("PROOF_INVALID", `The proof is refused: ${reason}.`);
}
