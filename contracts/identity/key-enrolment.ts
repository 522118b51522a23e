import * as z from "zod";
import { HubError } from "../../server/errors.ts";
import { digest } from "../formats/canonical-json.ts";
import { IN_TOTO_PAYLOAD_TYPE, pae } from "../formats/dsse.ts";
import { OPENPGP_KEY_ID } from "../formats/openpgp/key-id.ts";
import { buildStatement, parseStatement, statementBytes } from "../formats/statement.ts";

/**
 * How a person takes a further key into use: one statement, signed by the new key (its holder agrees) and by a key that
 * the person has already (it is that person who asks, and not somebody with a stolen token).
 */
export const KEY_ENROLMENT_PREDICATE_TYPE = "https://countersign.dev/key-enrolment/v1";

const predicateShape = z.strictObject({
  /** Of one hub alone: ids of accounts are never used twice. */
  account: z.uuid(),
  personId: z.uuid(),
  keyId: z.string().regex(OPENPGP_KEY_ID),
  requestedAt: z.iso.datetime({ precision: 3 }),
});

export interface KeyEnrolment extends z.output<typeof predicateShape> {
  /** The certificate as it was read; the statement's subject is its digest. */
  readonly certificate: Uint8Array;
}

/** The statement's bytes, which an envelope carries. */
export function keyEnrolmentPayload({ certificate, ...predicate }: KeyEnrolment): Buffer {
  const { account, personId, keyId, requestedAt } = predicateShape.parse(predicate);
  return statementBytes(
    buildStatement(
      [{ name: `person-key/${keyId}`, digest: { sha256: digest(Buffer.from(certificate)) } }],
      KEY_ENROLMENT_PREDICATE_TYPE,
      { account, personId, keyId, requestedAt },
    ),
  );
}

/** What both keys sign: the DSSE pre-authentication encoding of the payload. */
export const keyEnrolmentBytes = (payload: Uint8Array): Buffer => pae(IN_TOTO_PAYLOAD_TYPE, payload);

/**
 * Reads a payload that was signed, which has to be byte for byte what `keyEnrolmentPayload` makes of what is expected.
 * Throws ENVELOPE_INVALID, which says what it is about instead.
 */
export function readKeyEnrolment(
  payload: Uint8Array,
  expected: Omit<KeyEnrolment, "requestedAt">,
): { readonly requestedAt: Date } {
  const { predicate } = parseStatement(payload, KEY_ENROLMENT_PREDICATE_TYPE);
  const read = predicateShape.safeParse(predicate);
  if (!read.success) throw refusal("its predicate is not that of a key's enrolment", "payload");
  const { requestedAt, ...signed } = read.data;
  const { account, personId, keyId } = expected;
  const wanted = { account, personId, keyId } as const;
  const other = (Object.keys(wanted) as (keyof typeof wanted)[]).find((name) => signed[name] !== wanted[name]);
  if (other !== undefined) throw refusal(`it is about another ${other}`, "payload");
  if (!keyEnrolmentPayload({ ...expected, requestedAt }).equals(payload))
    throw refusal("it is about another version of the certificate, or not in the canonical form", "payload");
  return { requestedAt: new Date(requestedAt) };
}

function refusal(reason: string, path: string): HubError {
  return new HubError("ENVELOPE_INVALID", `The statement is refused: ${reason}.`, { path });
}
