import type { KeyService } from "../keys/key-service.ts";

/** Of the key service, what a rotation needs. */
export type AccountKeys = Pick<
  KeyService,
  "metadata" | "rotate" | "rewrapBatch" | "decryptBatch" | "encryptBatch" | "configure" | "trim"
>;

/** The key that wraps what an account keeps secret: credentials' data keys, held inputs, kept results. */
export const WRAPPING_KEY = "data";
