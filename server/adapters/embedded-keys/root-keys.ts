import type { KeyObject } from "node:crypto";

/** The root keys that wrap an embedded key service's keys: one, and two while one replaces the other. */
export interface RootKeys {
  /** What new keys are wrapped under, as the key files say at this moment. Throws as openRootKeys. */
  newest(): Promise<KeyObject>;
  /** As they were when last read, the newest first. */
  readonly known: readonly KeyObject[];
}

/** One that never changes. */
export function onlyRootKey(key: KeyObject): RootKeys {
  return { newest: async () => key, known: [key] };
}
