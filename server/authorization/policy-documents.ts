import { canonicalize, digest, type Json } from "../../contracts/formats/canonical-json.ts";
import { formatJsonPath } from "../../contracts/formats/json-path.ts";
import { PolicyDocument } from "../../contracts/policy/policy-document.ts";
import {
  type PolicyCheck,
  type PolicyChecker,
  type PolicyProblem,
  problemInWords,
} from "../domain/policy/policy-checker.ts";
import { HubError } from "../errors.ts";
import type { PolicyVocabulary } from "./cedar-schema.ts";
import type { CheckedDocument } from "./check-document.ts";
import { type OwnPolicies, ownPolicies } from "./own-policies.ts";
import { PolicyCheckThread, type ThreadLimits } from "./policy-check-thread.ts";

export interface CompiledCheck extends PolicyCheck {
  /** There if and only if the document was accepted. */
  readonly compiled?: OwnPolicies;
}

const MOST_KEPT = 512;
const MOST_PROBLEMS = 50;
const NOTHING_TO_CHECK: CheckedDocument = { problems: [], policies: [], rules: [] };

/** Checks policy documents, and keeps those in force ready. */
export class PolicyDocuments implements PolicyChecker {
  readonly #thread: PolicyCheckThread;
  /** By hash, least recently used first. A document that does not load is remembered as well. */
  readonly #kept = new Map<string, Promise<CompiledCheck>>();

  constructor(vocabulary: PolicyVocabulary, limits?: Partial<ThreadLimits>) {
    this.#thread = new PolicyCheckThread(vocabulary, limits);
  }

  /** The strict load, in a thread with a time limit. Throws DRAINING when the hub stops, INTERNAL. */
  async check(document: unknown): Promise<CompiledCheck> {
    try {
      return await this.#load(document);
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== "TIMEOUT") throw error;
      return { problems: [{ path: "", message: error.message }] };
    }
  }

  /**
   * The document in force. `read` gives its canonical JSON, and is asked when it is not at hand. Throws POLICY_FAILED
   * where the text is not the one that was put in force, or does not fit the actions that this hub has.
   */
  async own(policyHash: string, read: () => Promise<string>): Promise<OwnPolicies> {
    const found = this.#kept.get(policyHash) ?? this.#read(policyHash, read);
    this.#kept.delete(policyHash);
    this.#kept.set(policyHash, found);
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size > MOST_KEPT) this.#kept.delete(oldest);
    try {
      const { compiled, problems } = await found;
      if (compiled) return compiled;
      const words = problems.map(problemInWords).join("; ");
      throw new HubError("POLICY_FAILED", `The account's policy document does not load: ${words}.`, {
        details: { problems },
      });
    } catch (error) {
      // what may pass next time (a busy thread, a database that did not answer) is not remembered
      const passing = !(error instanceof HubError) || error.code !== "POLICY_FAILED";
      if (passing && this.#kept.get(policyHash) === found) this.#kept.delete(policyHash);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  async #read(policyHash: string, read: () => Promise<string>): Promise<CompiledCheck> {
    const text = await read();
    if (digest(text) === policyHash) return this.#load(JSON.parse(text));
    return { problems: [{ path: "", message: "its text is not the one that was put in force" }] };
  }

  async #load(untrusted: unknown): Promise<CompiledCheck> {
    const shape = PolicyDocument.safeParse(untrusted);
    if (!shape.success) {
      const problems = shape.error.issues.map(({ path, message }) => ({
        path: formatJsonPath(path as string[]),
        message,
      }));
      return { problems };
    }
    const document = shape.data;
    const canonical = canonicalOrProblem(document);
    if (typeof canonical !== "string") return { problems: [canonical] };
    const { cedar } = document.authorization;
    const empty = cedar.trim() === "" && document.intervention.rules.length === 0;
    const checked = empty ? NOTHING_TO_CHECK : await this.#thread.check(document);
    if (checked.problems.length > 0) return { problems: checked.problems.slice(0, MOST_PROBLEMS) };
    const hash = digest(canonical);
    const policies = checked.policies.map(({ id, why, effect, text }) => ({ id, why, effect, text }));
    return {
      problems: [],
      accepted: { document, canonical, hash, outline: { policies, rules: document.intervention.rules } },
      compiled: ownPolicies(hash, document, checked),
    };
  }
}

/** A text with half of a surrogate pair has no canonical form. */
function canonicalOrProblem(document: PolicyDocument): string | PolicyProblem {
  try {
    return canonicalize(document as Json);
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== "CANONICAL_INVALID") throw error;
    return { path: error.path ?? "", message: error.message };
  }
}
