import { HubError } from "../../../server/errors.ts";
import { type OpenPgpCertificate, readCertificate } from "./certificate.ts";
import { openpgp } from "./library.ts";

type Packet = ReturnType<OpenPgpCertificate["key"]["toPacketList"]>[number];

/** A key or a user id, and what is said about it. */
interface Part {
  readonly packet: Packet;
  readonly signatures: Map<string, Packet>;
}

/**
 * Two certificates of the same key as one: all keys, user ids and signatures of both. What the older one says is never
 * lost by a newer one that leaves it out, or that only looks newer: a revocation, or an end that was brought forward.
 * Nothing is verified: what counts is found when it is used. Throws INPUT_INVALID (other keys, or too much altogether).
 */
export async function mergeCertificates(
  older: OpenPgpCertificate,
  newer: OpenPgpCertificate,
): Promise<OpenPgpCertificate> {
  if (older.keyId !== newer.keyId)
    throw new HubError("INPUT_INVALID", "These are certificates of two keys.", { path: "certificate" });
  const library = await openpgp();
  const parts = new Map<string, Part>();
  for (const { key } of [older, newer]) {
    let part: Part | undefined;
    for (const packet of key.toPacketList()) {
      const bytes = Buffer.from(packet.write()).toString("hex");
      if (packet instanceof library.SignaturePacket) {
        part?.signatures.set(bytes, packet);
        continue;
      }
      const id = `${packet.constructor.name} ${bytes}`;
      part = parts.get(id) ?? { packet, signatures: new Map() };
      parts.set(id, part);
    }
  }
  const all = [...parts.values()];
  // user ids before subkeys, as the format wants it
  const isSubkey = ({ packet }: Part) => packet instanceof library.PublicSubkeyPacket;
  const merged = new library.PacketList<Packet>();
  for (const { packet, signatures } of [...all.filter((part) => !isSubkey(part)), ...all.filter(isSubkey)])
    merged.push(packet, ...signatures.values());
  return readCertificate(merged.write());
}
