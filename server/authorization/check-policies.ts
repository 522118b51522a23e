import { PolicyId, PolicyReason } from "../../contracts/policy/policy-document.ts";
import type { PolicyProblem } from "../domain/policy/policy-checker.ts";
import { type CedarEngine, engineDied, openEngine } from "./cedar-engine.ts";
import type { PolicyVocabulary } from "./cedar-schema.ts";
import { type ParsedPiece, parsePiece, validatePieces } from "./check-piece.ts";
import type { Policy } from "./policy.ts";
import { PolicySource } from "./policy-source.ts";
import { splitPolicies, tooLarge } from "./policy-text.ts";

export interface CheckedPolicies {
  /** In the order of the text; empty where there are problems. */
  readonly policies: readonly Policy[];
  readonly problems: readonly PolicyProblem[];
}

/** Ids under these belong to the policies that ship with the hub: nobody else may speak in their name. */
const RESERVED = /^(base|role)\//;

/**
 * Strict load of one text. Each policy has `@id` and `@why`. Refused are, beside everything that Cedar calls an error:
 * its warnings (a policy that can never apply), templates, `has` on a name that nothing declares, and texts large or
 * deep enough to endanger an engine.
 *
 * Takes as long as the text wants: strangers' texts are checked in a thread with a time limit (`PolicyCheckThread`).
 */
export function checkPolicies(
  vocabulary: PolicyVocabulary,
  path: string,
  text: string,
  { shipped = false } = {},
): CheckedPolicies {
  const source = new PolicySource(path, text);
  const texts = splitPolicies(text);
  const large = tooLarge(text, texts);
  if (large) source.refuse(large.start, large.message);
  if (large || texts.length === 0) return { policies: [], problems: source.problems };
  const policies = inThrowAwayEngine([source], (engine) => {
    const parsed = texts
      .map((piece) => parsePiece(engine, vocabulary, { id: "", source, text: piece.text, start: piece.start }))
      .filter((one) => one !== undefined);
    checkNames(parsed, shipped);
    // with two policies of one name, or one without a name, the engine would mix them up
    if (source.problems.length === 0)
      validatePieces(
        engine,
        vocabulary,
        parsed.map(({ piece }) => piece),
      );
    return parsed.map(({ policy }) => policy);
  });
  return { policies, problems: source.problems };
}

/** What `check` answers if no source has a problem. Where the engine dies of a text, that is the text's problem. */
export function inThrowAwayEngine(
  sources: readonly PolicySource[],
  check: (engine: CedarEngine) => readonly Policy[],
): readonly Policy[] {
  let policies: readonly Policy[] = [];
  try {
    policies = check(openEngine());
  } catch (error) {
    if (!engineDied(error)) throw error;
    sources[0]?.refuse(0, "too complex for the policy engine");
  }
  return sources.every((source) => source.problems.length === 0) ? policies : [];
}

function checkNames(parsed: readonly ParsedPiece[], shipped: boolean): void {
  const seen = new Set<string>();
  for (const { piece, policy } of parsed) {
    const { id, why } = policy;
    const refuse = (message: string) => piece.source.refuse(piece.start, message, { policy: id });
    if (!PolicyId.safeParse(id).success)
      refuse('needs @id("..."): lower case letters, digits, . _ / -, at most 64 of them');
    else if (!shipped && RESERVED.test(id))
      refuse("ids that begin with base/ or role/ belong to the policies that ship with the hub");
    else if (seen.has(id)) refuse(`@id("${id}") is used twice`);
    if (!PolicyReason.safeParse(why).success)
      refuse('needs @why("..."): one plain line of at most 300 characters, which people read');
    seen.add(id);
  }
}
