import {
  type CedarEngine,
  type CedarValueJson,
  type EntityJson,
  openEngine,
  sameEntity,
  type TypeAndId,
} from "./cedar-engine.ts";
import type { CedarSchema } from "./cedar-schema.ts";
import { narrowContext, oneActionSchema } from "./narrow-call.ts";
import type { ActionPolicies, PolicySet } from "./policy-set.ts";
import type { Slice } from "./request-slice.ts";

/** What one set says to one call. */
export interface Evaluation {
  /** Whether a permit applies and no forbid does. */
  readonly allowed: boolean;
  /** Ids of the policies that made it so, in the order of their text. */
  readonly deciding: readonly string[];
  /** Where there is any, nothing may be concluded: Cedar skips a policy that fails, a forbid too, and then allows. */
  readonly faults: readonly Fault[];
}

export interface Fault {
  readonly policy?: string;
  /** In words of ours: the engine's own messages quote the values of the call. */
  readonly what: string;
}

export interface EvaluatorLimits {
  /** Sets that are kept parsed, one for each action that was asked of them. */
  readonly sets: number;
  /** Calls whose answers are remembered. */
  readonly calls: number;
}

/** What the engine is told for one set. */
interface Asked {
  readonly name: string;
  readonly covering: ActionPolicies;
  readonly context: Readonly<Record<string, CedarValueJson>>;
  readonly entities: readonly EntityJson[];
}

const DEFAULT_LIMITS: EvaluatorLimits = { sets: 2_048, calls: 5_000 };
const LONGEST_KEY = 4_096;

/**
 * Asks policy sets about calls, in one engine, which is opened anew when it dies. Of a set only the policies that cover
 * the action are parsed, when first asked, and the least recently used are given up; answers are remembered by
 * everything that they depend on.
 */
export class PolicyEvaluator {
  readonly #schema: CedarSchema;
  readonly #limits: EvaluatorLimits;
  #engine: CedarEngine;
  /** Our name for what is parsed -> the engine's, least recently used first. The engine frees nothing: names are reused. */
  readonly #slots = new Map<string, string>();
  #opened = 0;
  readonly #schemas = new Set<string>();
  readonly #known = new Map<string, readonly Evaluation[]>();

  constructor(schema: CedarSchema, engine: CedarEngine, limits = DEFAULT_LIMITS) {
    this.#schema = schema;
    this.#limits = limits;
    this.#engine = engine;
  }

  /** The answers of those sets that cover the action; a set that does not has nothing to say. */
  ask(sets: readonly PolicySet[], slice: Slice): readonly Evaluation[] {
    const asked = sets.flatMap((set) => {
      const covering = set.byAction.get(slice.action);
      return covering ? [narrow(set.key, covering, slice)] : [];
    });
    const key = keyOf(asked, slice);
    const known = this.#known.get(key);
    if (known) return known;
    const answers = asked.map((one) => this.#answer(one, slice));
    if (key.length <= LONGEST_KEY && answers.every(({ faults }) => faults.length === 0)) this.#remember(key, answers);
    return answers;
  }

  #answer(asked: Asked, slice: Slice): Evaluation {
    try {
      return this.#evaluate(asked, slice);
    } catch {
      // the engine answers with failures and does not throw: it is dead, or out of step with what we know of it
      this.#slots.clear();
      this.#schemas.clear();
      this.#engine = openEngine();
      return failed("the policy engine failed");
    }
  }

  #evaluate(asked: Asked, { principal, action, resource }: Slice): Evaluation {
    const answer = this.#engine.statefulIsAuthorized({
      principal,
      action: { type: "Action", id: action },
      resource,
      context: asked.context,
      entities: [...asked.entities],
      preparsedPolicySetId: this.#slotOf(asked),
      preparsedSchemaName: this.#schemaOf(action),
      validateRequest: true,
    });
    if (answer.type === "failure") return failed("the call does not fit the schema of the policies");
    const { decision, diagnostics } = answer.response;
    // the engine's own order changes from call to call
    const ids = asked.covering.policies.map(({ id }) => id);
    const reasons = new Set(diagnostics.reason);
    const errors = diagnostics.errors.toSorted((a, b) => ids.indexOf(a.policyId) - ids.indexOf(b.policyId));
    return {
      allowed: decision === "allow",
      deciding: ids.filter((id) => reasons.has(id)),
      faults: errors.map(({ policyId, error }) => ({ policy: policyId, what: faultInWords(error.message) })),
    };
  }

  #slotOf({ name, covering }: Asked): string {
    const known = this.#slots.get(name);
    this.#slots.delete(name);
    const slot = known ?? this.#freeSlot();
    if (known === undefined) {
      const staticPolicies = Object.fromEntries(covering.policies.map(({ id, text }) => [id, text]));
      const answer = this.#engine.preparsePolicySet(slot, { staticPolicies });
      if (answer.type === "failure") throw new TypeError(answer.errors.map((error) => error.message).join("; "));
    }
    this.#slots.set(name, slot);
    return slot;
  }

  #freeSlot(): string {
    const [oldest] = this.#slots;
    if (!oldest || this.#slots.size < this.#limits.sets) return `set ${this.#opened++}`;
    this.#slots.delete(oldest[0]);
    return oldest[1];
  }

  #schemaOf(action: string): string {
    if (this.#schemas.has(action)) return action;
    const answer = this.#engine.preparseSchema(action, oneActionSchema(this.#schema.json, action));
    if (answer.type === "failure") throw new TypeError(answer.errors.map((error) => error.message).join("; "));
    this.#schemas.add(action);
    return action;
  }

  #remember(key: string, answers: readonly Evaluation[]): void {
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= this.#limits.calls) this.#known.delete(oldest);
    this.#known.set(key, answers);
  }
}

/** What these policies can see of the call: less to hand over, and more calls that are the same to them. */
function narrow(set: string, covering: ActionPolicies, { action, context, entities, maps }: Slice): Asked {
  return {
    name: `${set} ${action}`,
    covering,
    context: narrowContext(context, covering.reads),
    entities: covering.readsTags ? [...entities, ...maps] : entities,
  };
}

/**
 * Everything that an answer can depend on: the sets, and what the engine is told. A fleet object is its type where no
 * policy tells it from others of its account; entities that policies know as principals are always told apart.
 */
function keyOf(asked: readonly Asked[], { principal, resource, entities, maps }: Slice): string {
  const tags = asked.some(({ covering }) => covering.readsTags) ? maps : [];
  const alike = resource.type === "FleetObject" && !asked.some(({ covering }) => covering.readsResource);
  const told = entities.map((entity) =>
    alike && sameEntity(uidOf(entity), resource) ? [entity.parents, entity.attrs["kind"]] : entity,
  );
  return JSON.stringify([
    asked.map(({ name, context }) => [name, context]),
    principal,
    alike ? resource.type : resource,
    told,
    tags,
  ]);
}

const uidOf = ({ uid }: EntityJson): TypeAndId => ("__entity" in uid ? uid.__entity : uid);

function failed(what: string): Evaluation {
  return { allowed: false, deciding: [], faults: [{ what }] };
}

function faultInWords(message: string): string {
  if (message.includes("overflow")) return "a number grew beyond 64 bits";
  if (message.includes("does not have the")) return "it reads a field that is not there";
  if (message.startsWith("type error")) return "it compares what does not compare";
  return "it cannot be evaluated";
}
