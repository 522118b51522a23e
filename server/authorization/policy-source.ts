import type { PolicyProblem } from "../domain/policy/policy-checker.ts";
import type { DetailedError } from "./cedar-engine.ts";
import { indexOfByte, positionAt } from "./policy-text.ts";

/** One policy as the engine gets it, and where it stands in the text that its author wrote. */
export interface Piece {
  readonly id: string;
  readonly text: string;
  /** UTF-16 index in the author's text; negative where a head of ours stands before that text. */
  readonly start: number;
  readonly source: PolicySource;
}

/** A text by somebody, and what is wrong with it by line and column. */
export class PolicySource {
  readonly problems: PolicyProblem[] = [];
  readonly #path: string;
  readonly #text: string;

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /** `index` counts in UTF-16 units from the start of the text. */
  refuse(index: number, message: string, more: { policy?: string | undefined; help?: string | undefined } = {}): void {
    this.problems.push({
      path: this.#path,
      ...positionAt(this.#text, Math.min(Math.max(index, 0), this.#text.length)),
      ...(more.policy ? { policy: more.policy } : {}),
      message,
      ...(more.help ? { help: more.help } : {}),
    });
  }
}

/** What the engine says about a piece, in its author's lines and columns. */
export function refusePiece(piece: Piece, error: DetailedError): void {
  const [place] = error.sourceLocations ?? [];
  const sentence = error.message
    .replace(/^for policy `[^`]*`[,:] /, "")
    .replace(/^failed to parse policy from string: /, "");
  piece.source.refuse(
    piece.start + indexOfByte(piece.text, place?.start ?? 0),
    place?.label ? `${sentence} (${place.label})` : sentence,
    { policy: piece.id, help: error.help?.replace(/^for policy `[^`]*`, /, "") },
  );
}
