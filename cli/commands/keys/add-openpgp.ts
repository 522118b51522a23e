import { buffer } from "node:stream/consumers";
import * as z from "zod";
import { envelopeOf } from "../../../contracts/formats/dsse.ts";
import {
  holdsSecretKey,
  type OpenPgpCertificate,
  readCertificate,
  SECRET_KEY_WARNING,
  standingOf,
} from "../../../contracts/formats/openpgp/certificate.ts";
import { keyEnrolmentBytes, keyEnrolmentPayload } from "../../../contracts/identity/key-enrolment.ts";
import { type PersonKeyShape, personKeyShape } from "../../../contracts/identity/person-key.ts";
import { HubError } from "../../../server/errors.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import type { HubClient } from "../../hub-client.ts";
import { gpgExport } from "../../signing/gpg.ts";
import { chooseOpenPgpKey, folderSigner, gpgSigner, liveKeys, type Signer } from "../../signing/signer.ts";
import { read, readSigned, writeStatement } from "../../signing/statement-file.ts";
import { printable } from "../../terminal.ts";
import { whoami } from "../../whoami.ts";

export interface AddOptions {
  readonly yes?: true;
  readonly printStatement?: string;
  readonly signature?: string;
  readonly statement?: string;
}

const added = z.object({ key: z.looseObject(personKeyShape.shape), renewed: z.boolean() });

/** Enrols a key: it signs, and so does one that the person has. The private halves stay where they are. */
export async function addOpenPgpKey(context: CliContext, source: string, options: AddOptions): Promise<void> {
  const { terminal } = context;
  const hub = connectedHub(context);
  const certificate = await certificateOf(source);
  const { expiresAt } = await standingOf(certificate, new Date());
  terminal.note(printable(inWords(certificate, expiresAt)));
  if (options.printStatement !== undefined) {
    writeStatement(options.printStatement, await payloadFor(hub, certificate));
    const file = options.printStatement;
    const next = [
      `gpg --local-user ${certificate.fingerprint} --detach-sign ${file}`,
      `npx countersign keys add-openpgp ${source} --signature ${file}.sig`,
    ];
    return terminal.show({ file, next }, () => `Nothing was signed. Next:\n\n  ${next.join("\n  ")}`);
  }
  if (!options.yes && !(await terminal.confirm("Let this key sign decisions in your name?")))
    throw new HubError("CONFIRMATION_DECLINED", "Nothing was enrolled. (Where nobody can be asked, --yes does it.)");
  const { payload, signature } =
    options.signature === undefined
      ? await signHere(hub, certificate)
      : await readSigned(options.signature, options.statement);
  const endorser = await endorserFor(context, hub, certificate, signature);
  const { key, renewed } = await hub.output(added, "system_identity_add_key", {
    certificate: certificate.key.armor(),
    endorsement: envelopeOf(payload, await endorser.sign(keyEnrolmentBytes(payload)), endorser.keyId),
    proof: signature.toString("base64"),
  });
  terminal.show(
    { key, renewed },
    () => `${renewed ? "Renewed" : "Enrolled"}: ${key.id}\n\nnpx countersign approve <id> --gpg`,
  );
}

const FINGERPRINT = /^(?:0x)?[0-9a-f]{40}(?:[0-9a-f]{24})?$/i;

async function certificateOf(source: string): Promise<OpenPgpCertificate> {
  const compact = source.replaceAll(" ", "");
  if (FINGERPRINT.test(compact)) return readCertificate(await gpgExport(compact.replace(/^0x/i, "")));
  const bytes = source === "-" ? await buffer(process.stdin) : read(source);
  const armoured = bytes.toString("latin1");
  // what is secret goes no further than this
  if (holdsSecretKey(armoured)) throw new HubError("INPUT_INVALID", SECRET_KEY_WARNING, { path: "certificate" });
  return readCertificate(armoured.includes("-----BEGIN PGP") ? bytes.toString("utf8") : bytes);
}

function inWords({ fingerprint, userIds }: OpenPgpCertificate, expiresAt: Date | undefined): string {
  return [
    `OpenPGP key ${fingerprint}`,
    ...userIds.map((userId) => `  ${userId}`),
    `  signs until ${expiresAt ? expiresAt.toISOString() : "it is revoked"}`,
  ].join("\n");
}

async function payloadFor(hub: HubClient, { keyId, bytes }: OpenPgpCertificate): Promise<Buffer> {
  const me = await whoami(hub);
  return keyEnrolmentPayload({
    account: me.account.id,
    personId: personIn(me),
    keyId,
    requestedAt: new Date().toISOString(),
    certificate: bytes,
  });
}

async function signHere(hub: HubClient, certificate: OpenPgpCertificate) {
  const payload = await payloadFor(hub, certificate);
  return { payload, signature: await gpgSigner(certificate.keyId).sign(keyEnrolmentBytes(payload)) };
}

/** A key that the person has: the folder's, else one in gpg. One that is renewed speaks for itself. */
async function endorserFor(
  { folder }: CliContext,
  hub: HubClient,
  { keyId }: OpenPgpCertificate,
  signature: Buffer,
): Promise<Signer> {
  const keys = await liveKeys(hub, personIn(await whoami(hub)));
  const own = folderSigner(folder);
  if (own && keys.some(({ id }) => id === own.keyId)) return own;
  const others = keys.filter(({ id }: PersonKeyShape) => id !== keyId);
  if (others.length === 0) return { keyId, sign: async () => signature };
  return gpgSigner(chooseOpenPgpKey(others));
}

function personIn({ principal }: Awaited<ReturnType<typeof whoami>>): string {
  if (principal.person) return principal.person.id;
  throw new HubError("FORBIDDEN", `${principal.name} is no person's operator: only people have signing keys.`);
}
