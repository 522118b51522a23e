/**
 * Entry of the short process that migrates: the schema engine's memory goes with it. It takes one request over the
 * channel to its parent, answers once and ends; a parent that dies meanwhile does not stop it half-way.
 */
import { once } from "node:events";
import type pg from "pg";
import { toHubError } from "../server/errors.ts";
import { setUpDatabase } from "./set-up-database.ts";
import type { Setup } from "./setup.ts";

export interface MigrationRequest {
  readonly owner: pg.PoolConfig;
  readonly runtimeRole: string;
  readonly setup: Setup;
}

export type MigrationAnswer =
  | { readonly applied: string[] }
  | { readonly error: { code: string; message: string; details?: Readonly<Record<string, unknown>>; cause?: string } };

const asked = once(process, "message") as Promise<[MigrationRequest]>;
process.send?.("ready");
const answer = await run(...(await asked));
// libraries keep idle connections and timers for a while, and nobody waits for those
if (process.connected) process.send?.(answer, () => process.exit());
else process.exit();

async function run({ owner, runtimeRole, setup }: MigrationRequest): Promise<MigrationAnswer> {
  try {
    return { applied: await setUpDatabase(owner, runtimeRole, setup) };
  } catch (thrown) {
    const { code, message, details, cause } = toHubError(thrown);
    const why = cause instanceof Error ? { cause: cause.stack ?? cause.message } : {};
    return { error: { code, message, ...(details ? { details } : {}), ...why } };
  }
}
