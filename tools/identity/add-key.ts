import * as z from "zod";
import {
  holdsSecretKey,
  MAX_CERTIFICATE_LENGTH,
  SECRET_KEY_WARNING,
} from "../../contracts/formats/openpgp/certificate.ts";
import { personKeyShape } from "../../contracts/identity/person-key.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { addKey as add, previewAddKey } from "../../server/domain/identity/add-key.ts";
import { principalTarget } from "../../server/domain/identity/targets.ts";

export const addKey = defineAction({
  name: "system_identity_add_key",
  title: "Add a signing key of one's own",
  description:
    "Enrols an OpenPGP key with which the caller's own person signs decisions from then on, or renews the certificate of one that is enrolled. A token is not enough: a key that the person has signs the enrolment, and so does the new one. `npx countersign keys add-openpgp` does all of it; a private key never leaves its machine.",
  permission: "system.identity.key",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({
    certificate: z
      .string()
      .max(MAX_CERTIFICATE_LENGTH)
      // before anything is judged or kept
      .refine((text) => !holdsSecretKey(text), SECRET_KEY_WARNING)
      .describe("OpenPGP certificate, armoured: a PUBLIC KEY BLOCK"),
    endorsement: z
      .union([z.string().min(1).max(20_000), z.record(z.string(), z.unknown())])
      .describe(
        "DSSE envelope around the enrolment statement, signed with a key that the person has; as an object or as JSON text. A key that is renewed may sign it itself",
      ),
    proof: z.string().max(8_000).describe("the new key's detached binary signature over the same bytes, Base64"),
  }),
  output: z.strictObject({
    key: personKeyShape,
    renewed: z.boolean().describe("the key was enrolled before: its certificate is a newer one now"),
  }),
  errors: ["PROOF_INVALID", "ALREADY_EXISTS", "CONFLICT"],
  channels: ["http", "cli"],
  policyInput: [],
  resource: ["Operator", "Agent", "Service"],
  target: (_input, { read, call }) => principalTarget(read.identity, call.caller.principal.id),
  preview: (input, { read, call }) => previewAddKey(read.identity, input, call),
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ key, renewed }) =>
    `${key.person.name} ${renewed ? "signs with the renewed key" : "can sign with the key"} ${key.id}${key.expiresAt ? ` until ${key.expiresAt}` : ""}.`,
  handler: (input, { tx, call }) => add(tx, input, call),
});
