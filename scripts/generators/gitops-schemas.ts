/** What a repository declares, as a JSON Schema for editors, from contracts/gitops/fleet-document.ts. */
import { fleetDocumentJsonSchema } from "../../contracts/gitops/fleet-document.ts";
import { type Generator, jsonText } from "./generator.ts";

const DOCUMENT = "contracts/gitops/fleet.v1.schema.json";

export const generator: Generator = {
  files: [DOCUMENT],
  generate: async () => new Map([[DOCUMENT, jsonText(fleetDocumentJsonSchema())]]),
};
