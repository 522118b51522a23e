/** The kinds of fleet objects as JSON Schemas, for editors and for what writes `fleet.yaml`, from contracts/fleet/object.ts. */
import * as z from "zod";
import { FLEET_KINDS, type FleetKind, fleetObjectSchemas } from "../../contracts/fleet/object.ts";
import { type Generator, jsonText } from "./generator.ts";

/** `ProviderConfig` -> `contracts/fleet/provider-config.v1.schema.json` */
const fileOf = (kind: FleetKind) => `${kind.replaceAll(/(?<=[a-z])[A-Z]/g, "-$&").toLowerCase()}.v1.schema.json`;
const pathOf = (kind: FleetKind) => `contracts/fleet/${fileOf(kind)}`;

const schemaOf = (kind: FleetKind) =>
  jsonText({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: fileOf(kind),
    title: `A fleet object of the kind ${kind}, as a client or fleet.yaml states it, version 1`,
    ...z.toJSONSchema(fleetObjectSchemas[kind], { io: "input" }),
  });

export const generator: Generator = {
  files: FLEET_KINDS.map(pathOf),
  generate: async () => new Map(FLEET_KINDS.map((kind) => [pathOf(kind), schemaOf(kind)])),
};
