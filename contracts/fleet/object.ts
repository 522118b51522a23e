import * as z from "zod";

/**
 * The fleet: what agents and Git change. Four kinds with one frame. A spec never holds a secret: credentials are named
 * by `secretRef`, and the value stays where it is kept.
 */
export const FLEET_KINDS = ["Template", "Module", "Assignment", "ProviderConfig"] as const;
export const fleetKind = z.enum(FLEET_KINDS).meta({ id: "FleetKind" });
export type FleetKind = z.output<typeof fleetKind>;

/** A DNS label (RFC 1123): lower case letters, digits and dashes, at most 63. */
export const fleetName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "lower case letters, digits and dashes, at most 63")
  .describe("name of the object, a DNS label");

/** Semantic version (semver.org), without build metadata. */
const semver = z
  .string()
  .max(64)
  .regex(/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$/, "a semantic version such as 1.4.0");

const KEY = /^([a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const labelKey = z.string().regex(KEY, "letters, digits, dots, dashes; an optional prefix before one slash");
const labelValue = z
  .string()
  .max(63)
  .regex(/^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$/, "letters, digits, . _ -, at most 63");
const atMost = (n: number) => [(map: object) => Object.keys(map).length <= n, `at most ${n} entries`] as const;

export const labels = z.record(labelKey, labelValue).refine(...atMost(64));
export const annotations = z.record(labelKey, z.string().max(4_096)).refine(...atMost(64));

/** Parameter values are flat: text, whole numbers, yes or no. */
const parameters = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, "a parameter name"),
    z.union([z.string().max(4_096), z.int(), z.boolean()]),
  )
  .refine(...atMost(128));

const parameterSchema = z.strictObject({
  type: z.enum(["string", "integer", "boolean"]),
  description: z.string().max(500).optional(),
  required: z.boolean().default(false),
  default: z.union([z.string().max(4_096), z.int(), z.boolean()]).optional(),
  enum: z
    .array(z.union([z.string().max(200), z.int()]))
    .min(1)
    .max(64)
    .optional(),
});

export const templateSpec = z.strictObject({
  version: semver,
  description: z.string().max(500).optional(),
  parameters: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, "a parameter name"), parameterSchema)
    .default({})
    .describe("what an assignment may or must set"),
  modules: z.array(fleetName).max(64).default([]).describe("names of Module objects, in order"),
});

export const moduleSpec = z.strictObject({
  version: semver,
  source: z
    .url({ protocol: /^(https|ssh|oci|git)$/ })
    .max(2_048)
    .describe("where it comes from; without credentials")
    .refine((u) => !/^[a-z]+:\/\/[^/@]*:[^/@]*@/.test(u), "an address may not hold a password"),
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, "sha256: and 64 hex digits")
    .describe("what exactly is used"),
  dependsOn: z.array(fleetName).max(64).default([]).describe("names of Module objects"),
});

export const assignmentSpec = z.strictObject({
  template: fleetName.describe("name of a Template"),
  provider: fleetName.describe("name of a ProviderConfig"),
  selector: labels
    .describe("labels of the targets it applies to; all must match")
    .refine((m) => Object.keys(m).length > 0, "a selector names at least one label"),
  parameters: parameters.default({}),
});

export const providerConfigSpec = z.strictObject({
  driver: z
    .string()
    .max(63)
    .regex(/^[a-z][a-z0-9-]*$/, "a driver's name"),
  endpoint: z
    .url({ protocol: /^https$/ })
    .max(2_048)
    .refine((u) => !/^[a-z]+:\/\/[^/@]*@/.test(u), "an address may not hold a user or password"),
  secretRef: z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([a-z0-9./-]*[a-z0-9])?$/, "the name of a stored secret, never its value")
    .optional(),
});

export const FLEET_SPECS = {
  Template: templateSpec,
  Module: moduleSpec,
  Assignment: assignmentSpec,
  ProviderConfig: providerConfigSpec,
} as const satisfies Record<FleetKind, z.ZodObject>;

const frame = { name: fleetName, labels: labels.default({}), annotations: annotations.default({}) };

/** One kind each: what a client or `fleet.yaml` states about an object. */
export const fleetObjectSchemas = {
  Template: z.strictObject({ kind: z.literal("Template"), ...frame, spec: templateSpec }),
  Module: z.strictObject({ kind: z.literal("Module"), ...frame, spec: moduleSpec }),
  Assignment: z.strictObject({ kind: z.literal("Assignment"), ...frame, spec: assignmentSpec }),
  ProviderConfig: z.strictObject({ kind: z.literal("ProviderConfig"), ...frame, spec: providerConfigSpec }),
} as const;

export const desiredFleetObject = z.discriminatedUnion("kind", [
  fleetObjectSchemas.Template,
  fleetObjectSchemas.Module,
  fleetObjectSchemas.Assignment,
  fleetObjectSchemas.ProviderConfig,
]);
export type DesiredFleetObject = z.output<typeof desiredFleetObject>;

const live = {
  version: z.int().min(1).describe("grows by one with each change; send it back to change what you saw"),
  owner: z.string().nullable().describe("the Git repository that owns the object, or null"),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  updatedBy: z.string().describe("id of the principal that changed it last"),
};

/** An object as the hub holds it. */
export const liveFleetObject = z.strictObject({
  kind: fleetKind,
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  spec: z.record(z.string(), z.unknown()),
  ...live,
});
export type LiveFleetObject = z.output<typeof liveFleetObject>;
