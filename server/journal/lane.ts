import { hash, type KeyObject } from "node:crypto";
import { publicKeyFromDer } from "../../contracts/formats/ed25519.ts";
import { issueLaneCertificate, laneOrigin } from "../../contracts/formats/lane-certificate.ts";
import { LaneTree } from "../domain/evidence/lane-tree.ts";
import type { KeyService } from "../domain/keys/key-service.ts";
import { HubError } from "../errors.ts";

/** One account's log in one epoch, as far as its writer has to know it. */
export interface Lane {
  readonly accountId: string;
  readonly origin: string;
  /** DSSE envelope, signed with the account's root key. */
  readonly certificate: string;
  /** Whether the lane's row is there yet; the first commit that holds the lane makes it. */
  opened: boolean;
  /** SHA-256 of the newest statement, of the certificate before there is one. */
  head: Buffer;
  tree: LaneTree;
}

/** What a certificate says of the process's key, for all lanes of an epoch. */
export interface EpochKey {
  readonly hubId: string;
  readonly epoch: { readonly id: string; readonly no: number; readonly origin: string };
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Has the account's root key certify the process's key for a new lane. Throws what the key service throws. */
export async function openLane(accountId: string, key: EpochKey, keys: KeyService): Promise<Lane> {
  const origin = laneOrigin(key.hubId, key.epoch.no, accountId);
  const { epoch, notBefore, notAfter } = key;
  const certificate = await withRootKey(accountId, keys, (rootKey, sign) =>
    issueLaneCertificate({ origin, epoch, processKey: key.publicKey, rootKey, notBefore, notAfter }, sign),
  );
  const head = hash("sha256", certificate, "buffer");
  return { accountId, origin, certificate, opened: false, head, tree: new LaneTree() };
}

/** The certificate names the key that signs it, so the version has to be known before. */
async function withRootKey(
  accountId: string,
  keys: KeyService,
  issue: (rootKey: KeyObject, sign: (message: Buffer) => Promise<Buffer>) => Promise<string>,
): Promise<string> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const { latestVersion, versions } = await keys.metadata(accountId, "root");
    const der = versions.find(({ version }) => version === latestVersion)?.publicKey;
    if (der === undefined) throw new Error("cannot happen: a root key without its public half");
    let signedWith: number | undefined;
    const certificate = await issue(publicKeyFromDer(der), async (message) => {
      const { version, signature } = await keys.sign(accountId, "root", message);
      signedWith = version;
      return signature;
    });
    // another process rotated the key in between
    if (signedWith === latestVersion) return certificate;
  }
  throw new HubError("KEY_SERVICE_UNREACHABLE", "The account's root key changes faster than it can be used.");
}
