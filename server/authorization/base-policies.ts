import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PolicyProblem } from "../domain/policy/policy-checker.ts";
import type { CedarEngine } from "./cedar-engine.ts";
import type { PolicyVocabulary } from "./cedar-schema.ts";
import { checkPolicies } from "./check-policies.ts";
import { type Policy, parsePolicy } from "./policy.ts";
import { splitPolicies } from "./policy-text.ts";

/** A file of policies that ship with the hub. */
export interface PolicyFile {
  readonly name: string;
  readonly text: string;
}

const FOLDER = join(import.meta.dirname, "policies");

export function readBasePolicies(): PolicyFile[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".cedar"));
  return names.sort().map((name) => ({ name, text: readFileSync(join(FOLDER, name), "utf8") }));
}

/** The strict check of what ships, for tests and generators: it takes too long for every start. */
export function checkBasePolicies(vocabulary: PolicyVocabulary, files: readonly PolicyFile[]): PolicyProblem[] {
  const ids = new Set<string>();
  return files.flatMap(({ name, text }) => {
    const { problems, policies } = checkPolicies(vocabulary, name, text, { shipped: true });
    const twice = policies.filter(({ id }) => ids.has(id) || !ids.add(id));
    return [...problems, ...twice.map(({ id }) => ({ path: name, policy: id, message: `@id("${id}") is used twice` }))];
  });
}

/** Reads policies that were checked before. Throws TypeError for text that is not even Cedar, or has no names. */
export function parseBasePolicies(
  engine: CedarEngine,
  vocabulary: PolicyVocabulary,
  files: readonly PolicyFile[],
): Policy[] {
  const policies = files.flatMap(({ name, text }) =>
    splitPolicies(text).map((piece) => {
      const answer = parsePolicy(engine, vocabulary.json, piece.text);
      if ("errors" in answer) throw new TypeError(`${name}: ${answer.errors.map((error) => error.message).join("; ")}`);
      return answer.policy;
    }),
  );
  const ids = new Set(policies.map(({ id }) => id));
  if (ids.size < policies.length || ids.has("")) throw new TypeError("each policy that ships needs an @id of its own");
  return policies;
}
