import { Ajv, addFormats } from "@modelcontextprotocol/client/validators/ajv";

/** What does not fit a schema, and where. */
export interface InputFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** None of several forms fits, of which any may be the one that is meant. */
  readonly isUnion: boolean;
}

type Complaint = NonNullable<InstanceType<typeof Ajv>["errors"]>[number];

/** Heavier than any number of complaints that a person would read. */
const OTHER = 1_000;

const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));

/** Everything in a value that does not fit a JSON Schema. Of several forms, the one that fits best is told about. */
export function inputFaults(schema: object, value: unknown): InputFault[] {
  const validate = ajv.compile(schema);
  if (validate(value)) return [];
  return best(validate.errors ?? []).map(inWords);
}

/** Complaints about forms that were not meant are left out: those of another `kind`, then those with more complaints. */
function best(complaints: readonly Complaint[]): readonly Complaint[] {
  const union = complaints.find(({ keyword, schemaPath }) => {
    return isUnion(keyword) && complaints.some((one) => one.schemaPath.startsWith(`${schemaPath}/`));
  });
  if (!union) return complaints;
  const forms = Map.groupBy(
    complaints.filter(({ schemaPath }) => schemaPath.startsWith(`${union.schemaPath}/`)),
    ({ schemaPath }) => schemaPath.slice(union.schemaPath.length + 1).split("/")[0] as string,
  );
  const isOther = ({ keyword, instancePath }: Complaint) =>
    keyword === "const" || (keyword === "type" && instancePath === union.instancePath);
  const weight = (form: readonly Complaint[]) => form.length + (form.some(isOther) ? OTHER : 0);
  const [meant, next] = [...forms.values()].toSorted((a, b) => weight(a) - weight(b));
  const others = complaints.filter((one) => one !== union && !one.schemaPath.startsWith(`${union.schemaPath}/`));
  // where no form stands out, that none fits is all that can be said
  const isClear = meant !== undefined && (next === undefined || weight(meant) < weight(next)) && weight(meant) < OTHER;
  return best([...others, ...(isClear ? meant : [{ ...union, schemaPath: "" }])]);
}

const isUnion = (keyword: string) => keyword === "oneOf" || keyword === "anyOf";

function inWords({ instancePath, keyword, params, message = "does not fit" }: Complaint): InputFault {
  const path = instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const { missingProperty, additionalProperty, allowedValues } = params as Readonly<Record<string, unknown>>;
  if (typeof missingProperty === "string")
    return { path: [...path, missingProperty], message: "is missing", isUnion: false };
  if (typeof additionalProperty === "string")
    return { path: [...path, additionalProperty], message: "is not known", isUnion: false };
  const allowed = Array.isArray(allowedValues) ? `: ${allowedValues.join(", ")}` : "";
  return {
    path,
    message: isUnion(keyword) ? "fits none of its forms" : `${message}${allowed}`,
    isUnion: isUnion(keyword),
  };
}
