/** How checks look into what came of a tool call. */
import assert from "node:assert/strict";
import type { Answer, Called } from "./clients.ts";

/** The output of a call that has to have succeeded. */
export function outputOf(called: Called): Answer {
  assert.ok(!called.isError, called.content[0]?.text);
  return called.structuredContent;
}

export function metaOf(called: Called, name: string): Answer {
  return called._meta?.[name];
}

/** OK, or the code that the hub refused it with. */
export function codeOf(called: Called): string {
  return metaOf(called, "countersign/error")?.code ?? "OK";
}
