import { oneHost } from "../../../contracts/credentials/allowed-host.ts";
import type { CredentialKind } from "../../../contracts/credentials/credential-kind.ts";
import { HubError } from "../../errors.ts";

/** The hub's own rule for where it connects: throws EGRESS_REFUSED for an address that it never dials. */
export type RefuseAddress = (host: string, port: number) => void;

/** Nothing is kept for a place that the hub never connects to, and no person is asked about it. Throws EGRESS_REFUSED. */
export function refuseUnreachable(kind: CredentialKind, entries: readonly string[], refuse: RefuseAddress): void {
  for (const entry of entries) {
    const place = oneHost(kind, entry);
    try {
      if (place) refuse(place.host, place.port);
    } catch (cause) {
      if (!(cause instanceof HubError)) throw cause;
      const { code, message, details } = cause;
      throw new HubError(code, message, { path: "allowedHosts", ...(details && { details }), cause });
    }
  }
}
