import { randomUUID } from "node:crypto";

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;
const NOTHING = /^0+$/;

/**
 * The trace id of a `traceparent` (W3C Trace Context, level 1): 32 hexadecimal digits. Undefined where the value is
 * malformed, all zero, of the forbidden version ff, or version 00 with more fields than it has: the caller then starts
 * a trace of its own.
 */
export function traceIdOf(traceparent: unknown): string | undefined {
  if (typeof traceparent !== "string") return undefined;
  const [, version, traceId, parentId, more] = TRACEPARENT.exec(traceparent.trim()) ?? [];
  if (version === undefined || traceId === undefined || parentId === undefined) return undefined;
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  return NOTHING.test(traceId) || NOTHING.test(parentId) ? undefined : traceId;
}

/** From the pool of random numbers that Node keeps: asking the system for each would cost more than the rest of this file. */
export function newTraceId(): string {
  return randomUUID().replaceAll("-", "");
}
