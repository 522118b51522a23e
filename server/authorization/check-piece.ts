/** The checks that every Cedar policy goes through, whether it grants or only matches. */
import type { CedarEngine, PolicyJson } from "./cedar-engine.ts";
import type { PolicyVocabulary } from "./cedar-schema.ts";
import { type Policy, parsePolicy } from "./policy.ts";
import { conditionsOf, isDeclared } from "./policy-conditions.ts";
import { type Piece, refusePiece } from "./policy-source.ts";
import { findHasTest, TEXT_LIMITS } from "./policy-text.ts";

export interface ParsedPiece {
  readonly piece: Piece;
  readonly policy: Policy;
  readonly json: PolicyJson;
}

/** Reads one policy, or tells its source why that fails. Refuses `has` on names that nothing declares. */
export function parsePiece(engine: CedarEngine, vocabulary: PolicyVocabulary, piece: Piece): ParsedPiece | undefined {
  const answer = parsePolicy(engine, vocabulary.json, piece.text);
  if ("errors" in answer) {
    for (const error of answer.errors) refusePiece(piece, error);
    return undefined;
  }
  const { policy, json } = answer;
  const named = { ...piece, id: piece.id || policy.id };
  checkConditions(vocabulary, named, policy, json);
  return { piece: named, policy: { ...policy, id: named.id }, json };
}

/**
 * Types, names, and whether a policy can ever apply: Cedar's warnings count as errors. One finding a place, although
 * Cedar repeats it for each action.
 */
export function validatePieces(engine: CedarEngine, vocabulary: PolicyVocabulary, pieces: readonly Piece[]): void {
  const byId = new Map(pieces.map((piece) => [piece.id, piece]));
  const staticPolicies = Object.fromEntries(pieces.map(({ id, text }) => [id, text]));
  const answer = engine.validate({ schema: vocabulary.json, policies: { staticPolicies } });
  if (answer.type === "failure") throw new TypeError(answer.errors.map((error) => error.message).join("; "));
  const told = new Set<string>();
  for (const { policyId, error } of [...answer.validationErrors, ...answer.validationWarnings]) {
    const place = error.severity === "warning" ? "never applies" : error.sourceLocations?.[0]?.start;
    const piece = byId.get(policyId);
    if (!piece || told.has(`${policyId} ${place}`)) continue;
    told.add(`${policyId} ${place}`);
    refusePiece(piece, error);
  }
}

/**
 * Cedar takes `has` on an undeclared name for false without a word: a typo in `unless { context.input has forse }` would
 * permit always.
 */
function checkConditions(vocabulary: PolicyVocabulary, piece: Piece, policy: Policy, json: PolicyJson): void {
  const { depth, tests } = conditionsOf(json);
  if (depth > TEXT_LIMITS.operators) {
    piece.source.refuse(piece.start, `more than ${TEXT_LIMITS.operators} operators follow from each other`, {
      policy: piece.id,
    });
  }
  for (const path of tests) {
    if (path && isDeclared(vocabulary.json, path, policy.scope)) continue;
    const message = path
      ? `nothing that this policy covers has \`${path.join(".")}\`, so this test is always false`
      : "`has` may ask principal, resource, context and their fields alone";
    const index = path ? findHasTest(piece.text, path.slice(1)) : 0;
    piece.source.refuse(piece.start + index, message, { policy: piece.id });
  }
}
