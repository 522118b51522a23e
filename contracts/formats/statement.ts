import { z } from "zod";
import { HubError } from "../../server/errors.ts";
import { canonicalize, type Json } from "./canonical-json.ts";
import { formatJsonPath } from "./json-path.ts";
import { parseStrictJson } from "./strict-json.ts";

/** In-toto Statements v1 (in-toto/attestation, spec/v1): what a receipt, a decision or a certificate says. */

export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";

const subjectSchema = z.strictObject({
  name: z.string().min(1),
  digest: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
});

const statementSchema = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(subjectSchema).min(1),
  predicateType: z.url(),
  predicate: z.record(z.string(), z.unknown()),
});

export type Subject = z.infer<typeof subjectSchema>;

export interface Statement<Predicate extends object = { readonly [name: string]: Json }> {
  _type: typeof STATEMENT_TYPE;
  subject: Subject[];
  /** The URL that names the predicate's meaning and version. */
  predicateType: string;
  predicate: Predicate;
}

/** A statement about things that a digest identifies. */
export function buildStatement<Predicate extends object>(
  subject: Subject[],
  predicateType: string,
  predicate: Predicate,
): Statement<Predicate> {
  return { _type: STATEMENT_TYPE, subject, predicateType, predicate };
}

/**
 * The bytes to sign: canonical JSON, integers only. Throws ENVELOPE_INVALID where it is no statement and
 * CANONICAL_INVALID where a value has no canonical form.
 */
export function statementBytes(statement: Statement<object>): Buffer {
  check(statement);
  return Buffer.from(canonicalize(statement as unknown as Json, { integersOnly: true }));
}

/**
 * Reads the verified payload of an envelope. The predicate's own schema is its reader's to check, by `predicateType`:
 * a statement of another meaning, however well signed, is refused here. Throws ENVELOPE_INVALID.
 */
export function parseStatement(payload: Uint8Array, predicateType: string): Statement {
  let value: Json;
  try {
    value = parseStrictJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload), {
      integersOnly: true,
    });
  } catch (cause) {
    const path = cause instanceof HubError ? (cause.path ?? "") : "";
    throw new HubError("ENVELOPE_INVALID", "The statement is no strict JSON in UTF-8.", { path, cause });
  }
  const statement = check(value);
  if (statement.predicateType !== predicateType) {
    throw new HubError("ENVELOPE_INVALID", `The statement is none of the type ${predicateType}.`, {
      path: "predicateType",
    });
  }
  return statement;
}

function check(value: unknown): Statement {
  const parsed = statementSchema.safeParse(value);
  if (parsed.success) return parsed.data as Statement;
  const path = formatJsonPath((parsed.error.issues[0]?.path ?? []) as (string | number)[]);
  throw new HubError("ENVELOPE_INVALID", `The value is no in-toto statement: see ${path || "its top level"}.`, {
    path,
    cause: parsed.error,
  });
}
