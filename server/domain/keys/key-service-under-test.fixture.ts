import type { KeyService } from "./key-service.ts";

export interface KeyServiceUnderTest extends AsyncDisposable {
  /** A service as one more hub process would open it: the same keys, nothing remembered. */
  open(): KeyService;
  /** Two accounts without keys. */
  readonly accounts: readonly [string, string];
}
