/**
 * The policy document: the one versioned text that says what an account allows, and what needs people. Its hash,
 * SHA-256 over the canonical JSON (RFC 8785), stands in every receipt.
 */
import * as z from "zod";

/** Bytes of Cedar that a document may carry; the policy engine's own limits (depth, words a policy) come on top. */
export const MAX_CEDAR_BYTES = 16_384;
const MAX_RULES = 100;
const MAX_CONDITION_BYTES = 2_048;

// control characters, and those that reorder or hide text: `why` is shown to people who decide by it
const PLAIN_LINE = /^[^\p{Cc}\p{Cs}\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]+$/u;

export const PolicyId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._/-]{0,63}$/, "lower case letters, digits, . _ / - and at most 64 of them")
  .describe("A name that is unique in the document: it stands in refusals, receipts and previews.");

export const PolicyReason = z
  .string()
  .max(300)
  .regex(PLAIN_LINE, "one line of plain text")
  .describe("The sentence that people read when this decides.");

const ActionName = z
  .string()
  .regex(/^[a-z][a-z0-9_.:-]{0,127}$/, "an action, a permission, effect:... or approval:...");

const Permission = z
  .string()
  .max(128)
  .regex(/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/, "a permission such as system.approval.decide");

export const Outcome = z.union([
  z.enum(["auto", "confirm", "forbid"]),
  z.strictObject({
    approve: z.union([z.literal(1), z.literal(2)]).describe("How many different people; 2 is two-person."),
    holding: Permission.describe("The permission that those who approve must hold."),
  }),
]);

export const InterventionRule = z.strictObject({
  id: PolicyId,
  why: PolicyReason,
  actions: z
    .array(ActionName)
    .min(1)
    .max(50)
    .describe("Names of actions, permissions with all below them, or the groups effect:... and approval:..."),
  resource: z
    .string()
    .regex(/^[A-Z][A-Za-z]{0,63}$/, "a resource type such as FleetObject")
    .optional(),
  when: z
    .string()
    .min(1)
    .max(MAX_CONDITION_BYTES)
    .optional()
    .describe("A Cedar condition over principal, action, resource and context; absent: always."),
  outcome: Outcome,
  loosens: z
    .literal(true)
    .optional()
    .describe("Asks for less than the action's own risk; counts only where the action allows that."),
});

export const PolicyDocument = z
  .strictObject({
    apiVersion: z.literal("countersign/v1"),
    kind: z.literal("Policy"),
    authorization: z.strictObject({
      cedar: z
        .string()
        .max(MAX_CEDAR_BYTES)
        .describe("Cedar policies in addition to those that ship with the hub. Each has @id and @why."),
    }),
    intervention: z.strictObject({
      rules: z.array(InterventionRule).max(MAX_RULES).describe("Of the rules that match a call the strictest counts."),
    }),
  })
  .superRefine(({ intervention: { rules } }, context) => {
    rules.forEach((rule, index) => {
      const first = rules.findIndex((other) => other.id === rule.id);
      if (first === index) return;
      context.addIssue({
        code: "custom",
        path: ["intervention", "rules", index, "id"],
        message: `"${rule.id}" is the id of rule ${first} already`,
      });
    });
  });

export type Outcome = z.output<typeof Outcome>;
export type InterventionRule = z.output<typeof InterventionRule>;
export type PolicyDocument = z.output<typeof PolicyDocument>;

/** The JSON Schema (draft 2020-12) that is published beside this file. Unique rule ids are checked by the hub alone. */
export function policyDocumentJsonSchema(): Record<string, unknown> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "policy-document.v1.schema.json",
    title: "Countersign policy document, version 1",
    ...z.toJSONSchema(PolicyDocument, { io: "input" }),
  };
}
