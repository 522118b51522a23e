import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { HubError } from "../server/errors.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Has every connection of this process trust the authorities of a PEM file beside Node's own, as NODE_EXTRA_CA_CERTS does.
 * Throws CONFIG_INVALID.
 */
export function trustAuthorities(caFile: string): void {
  setDefaultCACertificates([...getCACertificates("default"), ...authoritiesIn(caFile)]);
}

function authoritiesIn(caFile: string): string[] {
  try {
    const found = readFileSync(caFile, "latin1").match(CERTIFICATE) ?? [];
    if (found.length > 0) return found.map((pem) => new X509Certificate(pem).toString());
  } catch (cause) {
    throw unusable(caFile, cause);
  }
  throw unusable(caFile);
}

function unusable(caFile: string, cause?: unknown): HubError {
  const reason = (cause as NodeJS.ErrnoException | undefined)?.code ?? "no certificate in PEM";
  return new HubError("CONFIG_INVALID", `COUNTERSIGN_CA_FILE: ${caFile} cannot be used (${reason}).`, {
    path: "COUNTERSIGN_CA_FILE",
    cause,
  });
}
