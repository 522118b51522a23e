import type { KeyService } from "../keys/key-service.ts";
import type { ClaimLink } from "./claim.ts";
import type { CredentialOpener } from "./open-credential.ts";
import type { RefuseAddress } from "./reachable-hosts.ts";
import type { CredentialProbe } from "./try-credential.ts";

/** What calls about credentials need beside their rows; `open` is for everything that uses one. */
export interface CredentialServices extends CredentialOpener {
  /** Where a person takes a claim to. */
  readonly claimLink: ClaimLink;
  readonly probe: CredentialProbe;
  readonly refuseAddress: RefuseAddress;
  /** For sealing: a data key of its own for each secret. */
  readonly keys: Pick<KeyService, "dataKey">;
}
