/** What people write policies against: the document's JSON Schema, and the registry's actions in Cedar's own notation. */
import { policyDocumentJsonSchema } from "../../contracts/policy/policy-document.ts";
import { checkBasePolicies, readBasePolicies } from "../../server/authorization/base-policies.ts";
import { cedarSchema, cedarSchemaText } from "../../server/authorization/cedar-schema.ts";
import { declaredActions } from "../../server/authorization/declared-action.ts";
import { problemInWords } from "../../server/domain/policy/policy-checker.ts";
import { actions } from "../../tools/index.ts";
import { type Generator, jsonText } from "./generator.ts";

const DOCUMENT = "contracts/policy/policy-document.v1.schema.json";
const VOCABULARY = "docs/policy.cedarschema";

/** Generated from the registry, so the policies that ship are checked against it here: a start takes them as they are. */
function vocabulary(): string {
  const schema = cedarSchema(declaredActions(actions));
  const problems = checkBasePolicies(schema, readBasePolicies());
  if (problems.length > 0)
    throw new TypeError(`The shipped policies do not load: ${problems.map(problemInWords).join("\n")}`);
  return `// What policies may speak of. Written by \`npm run gen\` from the actions in tools/.\n\n${cedarSchemaText(schema)}`;
}

export const generator: Generator = {
  files: [DOCUMENT, VOCABULARY],
  generate: async () =>
    new Map([
      [DOCUMENT, jsonText(policyDocumentJsonSchema())],
      [VOCABULARY, vocabulary()],
    ]),
};
