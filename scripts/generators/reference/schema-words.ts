/** A JSON Schema (2020-12, as zod writes it) in words that a person reads in a table. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const LONGEST_PATTERN = 60;

const PLAIN: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  null: "null",
  object: "object",
};
const FORMATS: Readonly<Record<string, string>> = {
  "date-time": "time (ISO 8601, UTC)",
  uuid: "UUID",
  uri: "address (URI)",
};

export const variantsOf = ({ oneOf, anyOf }: Schema): readonly Schema[] => oneOf ?? anyOf ?? [];

/** The values of a `map of text to ...`, where the object is one. */
export function mapValues({ additionalProperties, propertyNames }: Schema): Schema | undefined {
  if (typeof additionalProperties === "object") return additionalProperties;
  return propertyNames ? {} : undefined;
}

export function typeInWords(schema: Schema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(", ");
  const variants = variantsOf(schema);
  if (variants.length > 0) return [...new Set(variants.map(typeInWords))].join(" or ");
  if (schema.type === "array") return `list of ${schema.items ? typeInWords(schema.items) : "anything"}`;
  const values = schema.type === "object" ? mapValues(schema) : undefined;
  if (values) return `map of names to ${typeInWords(values)}`;
  if (schema.format !== undefined) return FORMATS[schema.format] ?? schema.format;
  if (schema.type === undefined) return "anything";
  return [schema.type]
    .flat()
    .map((type) => PLAIN[type] ?? type)
    .join(" or ");
}

/** What a value has to keep to, beyond its type. */
export function limitsInWords(schema: Schema): string {
  const { minLength, maxLength, minimum, maximum, minItems, maxItems, minProperties, maxProperties } = schema;
  const words = [
    range(minLength, maxLength, "characters"),
    range(
      minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum,
      maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum,
    ),
    range(minItems, maxItems, "entries"),
    range(minProperties, maxProperties, "entries"),
    ...(schema.uniqueItems ? ["each once"] : []),
    ...patternOf(schema),
    ...(schema.items ? patternOf(schema.items).map((pattern) => `each ${pattern}`) : []),
    ...(schema.default === undefined ? [] : [`default ${code(JSON.stringify(schema.default))}`]),
  ];
  return words.filter((word) => word !== undefined).join("; ");
}

/** What a format's name or a description says better is left to those; the schema has it whole. */
function patternOf({ pattern, format }: Schema): string[] {
  return pattern === undefined || format !== undefined || pattern.length > LONGEST_PATTERN ? [] : [code(pattern)];
}

function range(least: number | undefined, most: number | undefined, of = ""): string | undefined {
  const unit = of && ` ${of}`;
  if (least !== undefined && most !== undefined)
    return least === most ? `${least}${unit}` : `${least} to ${most}${unit}`;
  if (most !== undefined) return `at most ${most}${unit}`;
  return least === undefined ? undefined : `at least ${least}${unit}`;
}

/** As code in a table's cell, where a bar would end the cell. */
const code = (value: unknown): string => `\`${String(value).replaceAll("|", "\\|")}\``;
