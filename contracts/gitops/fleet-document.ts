import * as z from "zod";
import { type FleetKind, fleetObjectSchemas } from "../fleet/object.ts";

/**
 * `fleet.yaml`: what a repository wants its fleet to be. One root file, and the files that it includes; each lists objects
 * by kind. An entry is the object as `system_fleet_put_object` takes it, without `kind`: the list says that.
 */
export const API_VERSION = "countersign/v1";
export const DOCUMENT_KIND = "Fleet";

/** In all files of one repository together. */
export const MAX_OBJECTS = 5_000;

/** The lists of a file and the kind that each holds. */
export const FLEET_LISTS = {
  templates: "Template",
  modules: "Module",
  assignments: "Assignment",
  providerConfigs: "ProviderConfig",
} as const satisfies Record<string, FleetKind>;
export type FleetList = keyof typeof FLEET_LISTS;

/** From the root of the tree, in one spelling: no part is empty, `.` or `..`. */
export const includeGlob = z
  .string()
  .max(500)
  .regex(
    /^(?!(.*\/)?\.{0,2}(\/|$))[^\\\p{Cc}]+$/u,
    "a path or glob from the root of the repository, with forward slashes and no . or .. in it",
  )
  .describe("a path or glob from the root of the repository");

const listOf = <T extends z.ZodType>(entry: T) => z.array(entry).max(MAX_OBJECTS).default([]);

const lists = {
  templates: listOf(fleetObjectSchemas.Template.omit({ kind: true })).describe("objects of the kind Template"),
  modules: listOf(fleetObjectSchemas.Module.omit({ kind: true })).describe("objects of the kind Module"),
  assignments: listOf(fleetObjectSchemas.Assignment.omit({ kind: true })).describe("objects of the kind Assignment"),
  providerConfigs: listOf(fleetObjectSchemas.ProviderConfig.omit({ kind: true })).describe(
    "objects of the kind ProviderConfig",
  ),
} satisfies Record<FleetList, z.ZodType>;

const head = { apiVersion: z.literal(API_VERSION), kind: z.literal(DOCUMENT_KIND) };

/** The file that the repository was registered with. */
export const rootFleetDocument = z.strictObject({
  ...head,
  include: z.array(includeGlob).max(100).default([]).describe("further files; only the root file includes"),
  ...lists,
});

/** A file that the root file includes. */
export const includedFleetDocument = z.strictObject({ ...head, ...lists });

export type FleetDocument = z.output<typeof includedFleetDocument>;

/**
 * The JSON Schema (draft 2020-12) that is published beside this file. That an included file has no `include`, that a
 * name stands once, and that nothing holds a secret is checked by the hub alone.
 */
export function fleetDocumentJsonSchema(): Record<string, unknown> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "fleet.v1.schema.json",
    title: "The fleet that a repository declares in fleet.yaml, version 1",
    ...z.toJSONSchema(rootFleetDocument, { io: "input" }),
  };
}
