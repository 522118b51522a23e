/** spec/actions.json: every action as programs need to know it, from the registry. A permission that changes is a diff here. */
import { ERROR_WORDS } from "../../contracts/errors/error-words.ts";
import { createRegistry, type RegisteredAction } from "../../server/action/registry.ts";
import { actions } from "../../tools/index.ts";
import { policyFields } from "./actions/policy-fields.ts";
import { type Generator, jsonText } from "./generator.ts";

const FILE = "spec/actions.json";

function describe({ action, inputSchema, outputSchema, schemaDigest }: RegisteredAction) {
  return {
    name: action.name,
    title: action.title,
    description: action.description,
    permission: action.permission,
    risk: action.risk,
    channels: action.channels,
    errors: action.errors.toSorted(byText),
    resource: action.resource.toSorted(byText),
    policyInput: policyFields(action),
    secretOutput: action.secretOutput,
    ...(action.secretInput && { secretInput: true }),
    timeLimitMs: action.timeLimitMs,
    schemaDigest,
    input: inputSchema,
    output: outputSchema,
  };
}

const byText = (a: string, b: string) => (a < b ? -1 : 1);

function text(): string {
  const errors = Object.entries(ERROR_WORDS).sort(([a], [b]) => byText(a, b));
  return jsonText({
    version: 1,
    errors: Object.fromEntries(errors.map(([code, { means }]) => [code, means])),
    errorsOfAnyCall: errors.filter(([, { scope }]) => scope === "call").map(([code]) => code),
    actions: createRegistry(actions).list().map(describe),
  });
}

export const generator: Generator = { files: [FILE], generate: async () => new Map([[FILE, text()]]) };
