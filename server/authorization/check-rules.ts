import type { InterventionRule } from "../../contracts/policy/policy-document.ts";
import { ruleToCedar } from "../approval/intervention.ts";
import type { PolicyProblem } from "../domain/policy/policy-checker.ts";
import type { PolicyVocabulary } from "./cedar-schema.ts";
import { parsePiece, validatePieces } from "./check-piece.ts";
import { type CheckedPolicies, inThrowAwayEngine } from "./check-policies.ts";
import type { Policy } from "./policy.ts";
import { onlyNamespace } from "./policy-scope.ts";
import { type Piece, PolicySource } from "./policy-source.ts";
import { splitPolicies, tooLarge } from "./policy-text.ts";

/**
 * Strict load of intervention rules, by the same schema and validator as policies. The answer's policies only match:
 * they carry the rules' ids and are never asked for a permission. Also refused: rules that can have no effect.
 */
export function checkRules(vocabulary: PolicyVocabulary, rules: readonly InterventionRule[]): CheckedPolicies {
  if (rules.length === 0) return { policies: [], problems: [] };
  const unknown = rules.map((rule, index) => unknownNames(vocabulary, rule, `intervention.rules[${index}]`));
  const sources = rules.map(({ when }, index) => {
    return new PolicySource(`intervention.rules[${index}]${when === undefined ? "" : ".when"}`, when ?? "");
  });
  const policies = inThrowAwayEngine(sources, (engine) => {
    const parsed = rules.flatMap((rule, index) => {
      if (unknown[index]?.length) return []; // what it covers is not known, so neither is what it may read
      const piece = pieceOf(rule, sources[index] as PolicySource);
      const one = piece && parsePiece(engine, vocabulary, piece);
      if (!one || !isWhole(one.json.conditions.length, rule, one.piece)) return [];
      checkEffect(vocabulary, rule, one.policy, one.piece);
      return [one];
    });
    const pieces = parsed.map(({ piece }) => piece);
    if (sources.every((source) => source.problems.length === 0)) validatePieces(engine, vocabulary, pieces);
    return parsed.map(({ policy }) => policy);
  });
  const problems = [...unknown.flat(), ...sources.flatMap((source) => source.problems)];
  return { policies: problems.length === 0 ? policies : [], problems };
}

function unknownNames(
  { json, groups }: PolicyVocabulary,
  { id, actions, resource, outcome }: InterventionRule,
  path: string,
): PolicyProblem[] {
  const { actions: known, entityTypes } = onlyNamespace(json);
  const problems = actions.flatMap((name, index) =>
    Object.hasOwn(known, name)
      ? []
      : [{ path: `${path}.actions[${index}]`, policy: id, message: `no action or permission is called ${name}` }],
  );
  if (resource !== undefined && !Object.hasOwn(entityTypes, resource)) {
    problems.push({ path: `${path}.resource`, policy: id, message: `no resource type is called ${resource}` });
  }
  if (typeof outcome === "object" && !groups.has(outcome.holding)) {
    problems.push({
      path: `${path}.outcome.holding`,
      policy: id,
      message: `no permission is called ${outcome.holding}`,
    });
  }
  return problems;
}

/** The rule as one policy; a condition that closes its bracket and goes on would be several. */
function pieceOf(rule: InterventionRule, source: PolicySource): Piece | undefined {
  const { text, conditionAt } = ruleToCedar(rule);
  const texts = splitPolicies(text);
  const large = tooLarge(text, texts);
  if (large) source.refuse(0, large.message, { policy: rule.id });
  else if (texts.length !== 1)
    source.refuse(0, "a condition has no semicolon and no second policy", { policy: rule.id });
  else return { id: rule.id, text, start: -conditionAt, source };
  return undefined;
}

function isWhole(conditions: number, rule: InterventionRule, piece: Piece): boolean {
  const whole = conditions === (rule.when === undefined ? 0 : 1);
  if (!whole) piece.source.refuse(0, "a rule has one condition: join several with &&", { policy: rule.id });
  return whole;
}

function checkEffect(vocabulary: PolicyVocabulary, rule: InterventionRule, policy: Policy, piece: Piece): void {
  const { mayLoosen, json } = vocabulary;
  const name = { policy: rule.id };
  if (rule.outcome === "confirm" || typeof rule.outcome === "object") {
    const named = rule.actions.find((action) => isReadAction(json, action));
    const help = "nothing is agreed to before a read: permit it or forbid it";
    if (named !== undefined) piece.source.refuse(0, `${named} is a read`, { ...name, help });
    else if (policy.scope.actions.size > 0 && [...policy.scope.actions].every((action) => isReadAction(json, action))) {
      piece.source.refuse(0, "every action of this rule is a read, so it has no effect", { ...name, help });
    }
  }
  if (rule.loosens && ![...policy.scope.actions].some((action) => mayLoosen.has(action))) {
    piece.source.refuse(0, "none of these actions lets a policy ask for less, so the rule has no effect", name);
  } else if (!rule.loosens && rule.outcome === "auto") {
    const help = "to ask for less than the action's risk, say loosens: true";
    piece.source.refuse(0, "the strictest rule counts, so auto has no effect", { ...name, help });
  }
}

function isReadAction(json: PolicyVocabulary["json"], action: string): boolean {
  const { actions } = onlyNamespace(json);
  return Object.hasOwn(actions, action) && (actions[action]?.memberOf ?? []).some(({ id }) => id === "effect:read");
}
