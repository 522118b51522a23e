import { limitsInWords, mapValues, type Schema, typeInWords, variantsOf } from "./schema-words.ts";

/** One line of a table of fields. */
export interface FieldRow {
  /** `spec.modules[]`, `object(Template).spec.version`, `labels.*`. */
  readonly field: string;
  readonly type: string;
  readonly required: boolean;
  readonly limits: string;
  readonly description: string;
}

/** Every field of an object's schema, outer before inner, in the order of the schema. */
export function fieldRows(root: Schema): FieldRow[] {
  return members(root, "", (schema) => resolved(schema, root));
}

type Resolve = (schema: Schema) => Schema;

function resolved(schema: Schema, root: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.replace("#/$defs/", "");
  const found = root.$defs?.[name];
  if (!found) throw new TypeError(`a schema refers to ${schema.$ref}, which is not there`);
  const { $ref: _, ...beside } = schema;
  return { ...found, ...beside };
}

function members(schema: Schema, path: string, resolve: Resolve): FieldRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    return field(resolve(member), path ? `${path}.${name}` : name, schema.required?.includes(name) ?? false, resolve);
  });
}

function field(schema: Schema, path: string, required: boolean, resolve: Resolve): FieldRow[] {
  const told = schema.type === "array" && schema.items ? { ...schema, items: resolve(schema.items) } : schema;
  const own = {
    field: path,
    type: typeInWords(told),
    required,
    limits: limitsInWords(told),
    description: told.description ?? "",
  };
  return [own, ...inner(told, path, resolve)];
}

function inner(schema: Schema, path: string, resolve: Resolve): FieldRow[] {
  if (schema.type === "array" && schema.items) return inner(schema.items, `${path}[]`, resolve);
  const variants = variantsOf(schema).map(resolve);
  if (variants.length > 0) return variantRows(variants, path, resolve);
  const values = schema.type === "object" ? mapValues(schema) : undefined;
  return values?.properties ? members(values, `${path}.*`, resolve) : members(schema, path, resolve);
}

/** What all variants have in common stands once, without a label. */
function variantRows(variants: readonly Schema[], path: string, resolve: Resolve): FieldRow[] {
  const rows = variants.map((variant) => ({ label: labelOf(variant), rows: members(variant, "", resolve) }));
  const [first = { rows: [] }, ...others] = rows;
  const common = first.rows.filter((row) => others.length > 0 && others.every(({ rows }) => rows.some(equals(row))));
  return [
    ...common.map((row) => ({ ...row, field: `${path}.${row.field}` })),
    ...rows.flatMap(({ label, rows }) => {
      const own = rows.filter((row) => !common.some(equals(row)));
      return own.map((row) => ({ ...row, field: `${path}${label}.${row.field}` }));
    }),
  ];
}

const equals = (row: FieldRow) => (other: FieldRow) => JSON.stringify(other) === JSON.stringify(row);

/** What tells one variant from the others: its first member with a fixed value. */
function labelOf({ properties = {} }: Schema): string {
  const fixed = Object.values(properties).find((member) => member.const !== undefined);
  return fixed ? `(${String(fixed.const)})` : "";
}
