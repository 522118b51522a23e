import { readEnv } from "./env.ts";

/** Where a test can have the process killed: what a crash there leaves behind must be what the journal says it is. */
export const CRASH_POINTS = ["before-intent", "after-intent", "during-execution", "after-effect"] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

let chosen: string | undefined;

/**
 * Kills this process as a power cut would, if it was started to be killed here, whatever the action or for this one
 * (COUNTERSIGN_TEST_CRASH_AT).
 */
export function crashPoint(point: CrashPoint, action: string): void {
  chosen ??= readEnv().COUNTERSIGN_TEST_CRASH_AT ?? "";
  if (chosen === point || chosen === `${point}@${action}`) process.kill(process.pid, "SIGKILL");
}
