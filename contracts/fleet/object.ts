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

/** Semantic version (semver.org 2.0.0), without build metadata. */
const semver = z
  .string()
  .max(64)
  .regex(
    /^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?$/,
    "a semantic version such as 1.4.0",
  )
  .describe("semantic version (semver.org) such as 1.4.0, without build metadata");

const KEY = /^([a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const labelKey = z.string().regex(KEY, "letters, digits, dots, dashes; an optional prefix before one slash");
const labelValue = z
  .string()
  .max(63)
  .regex(/^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$/, "letters, digits, . _ -, at most 63");

/** A map of at most `max` entries. */
const mapOf = <K extends z.core.$ZodRecordKey, V extends z.ZodType>(key: K, value: V, max: number) =>
  z
    .record(key, value)
    .refine((map) => Object.keys(map).length <= max, `at most ${max} entries`)
    .meta({ maxProperties: max });

export const labels = mapOf(labelKey, labelValue, 64);
export const annotations = mapOf(labelKey, z.string().max(4_096), 64);

/** Names in an order that counts, each once. */
const nameList = z
  .array(fleetName)
  .max(64)
  .refine((names) => new Set(names).size === names.length, "each name once")
  .meta({ uniqueItems: true })
  .default([]);

/**
 * An address that anybody may read. A password never stands in it; where it is fetched over HTTPS no user either, since
 * what stands there is a token.
 */
const address = (protocol: RegExp) =>
  z
    .url({ protocol })
    .max(2_048)
    .refine((text) => {
      // read as a client would read it: `https:user:secret@host` has no slashes and a password all the same
      const url = URL.parse(text);
      return !url?.password && !(url?.protocol === "https:" && url.username);
    }, "an address may not hold a password, nor a user where it is HTTPS");

const MAX_PARAMETERS = 128;
const parameterName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, "a parameter name");

/** Parameter values are flat: text, whole numbers, yes or no. */
const parameterValue = z.union([z.string().max(4_096), z.int(), z.boolean()]);

const parameterSchema = z
  .strictObject({
    type: z.enum(["string", "integer", "boolean"]),
    description: z.string().max(500).optional().describe("for people"),
    required: z.boolean().default(false).describe("an assignment must set it, unless there is a default"),
    default: parameterValue.optional().describe("of the same type"),
    enum: z
      .array(z.union([z.string().max(200), z.int()]))
      .min(1)
      .max(64)
      .optional()
      .describe("the only values, of the same type"),
  })
  .superRefine((schema, context) => {
    schema.enum?.forEach((value, i) => {
      const fault = parameterFault({ type: schema.type }, value);
      if (fault) context.addIssue({ code: "custom", path: ["enum", i], message: fault });
    });
    const fault = schema.default === undefined ? undefined : parameterFault(schema, schema.default);
    if (fault) context.addIssue({ code: "custom", path: ["default"], message: fault });
  });

/** Why a value does not fit a declared parameter, in words; undefined where it does. */
export function parameterFault(
  declared: { type: string; enum?: (string | number)[] | undefined },
  value: string | number | boolean,
): string | undefined {
  const type = typeof value === "number" ? "integer" : typeof value;
  if (type !== declared.type) return `expected ${declared.type}, got ${type}`;
  if (declared.enum && !declared.enum.includes(value as string | number))
    return `expected one of ${declared.enum.join(", ")}`;
  return undefined;
}

export const templateSpec = z.strictObject({
  version: semver,
  description: z.string().max(500).optional().describe("for people"),
  parameters: mapOf(parameterName, parameterSchema, MAX_PARAMETERS)
    .default({})
    .describe("what an assignment may or must set"),
  modules: nameList.describe("names of Module objects, in order"),
});

export const moduleSpec = z.strictObject({
  version: semver,
  source: address(/^(https|ssh|oci|git)$/).describe("where it comes from; without credentials"),
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, "sha256: and 64 hex digits")
    .describe("what exactly is used"),
  dependsOn: nameList.describe("names of Module objects"),
});

export const assignmentSpec = z.strictObject({
  template: fleetName.describe("name of a Template"),
  provider: fleetName.describe("name of a ProviderConfig"),
  selector: labels
    .refine((map) => Object.keys(map).length > 0, "a selector names at least one label")
    .meta({ minProperties: 1, description: "labels of the targets it applies to; all must match" }),
  parameters: mapOf(parameterName, parameterValue, MAX_PARAMETERS)
    .default({})
    .describe("values for what the template declares"),
});

export const providerConfigSpec = z.strictObject({
  driver: z
    .string()
    .max(63)
    .regex(/^[a-z][a-z0-9-]*$/, "a driver's name")
    .describe("what speaks to the endpoint"),
  endpoint: address(/^https$/).describe("where the driver reaches its system; without credentials"),
  secretRef: z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([a-z0-9./-]*[a-z0-9])?$/, "the name of a stored secret, never its value")
    .optional()
    .describe("name of the stored secret that it signs in with"),
});

const frame = {
  name: fleetName,
  labels: labels.default({}).describe("what it is selected and listed by; keys may have a prefix: example.com/tier"),
  annotations: annotations.default({}).describe("notes for people and programs"),
};

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
  spec: z.record(z.string(), z.unknown()).describe("what its kind says it is"),
  ...live,
});
export type LiveFleetObject = z.output<typeof liveFleetObject>;
