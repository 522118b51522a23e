import type { CallToolResult, ClientCapabilities } from "@modelcontextprotocol/server";
import { TASKS, type Task } from "./catalogue.ts";
import { factsAsError } from "./errors.ts";

/** What a client declares that can ask for tasks. */
export const TASKS_NEEDED: ClientCapabilities = { extensions: { [TASKS]: {} } };

/** The result of a call that goes on as a task (SEP-2663, CreateTaskResult). The SDK has no type for it. */
export function startedTask(task: Task): CallToolResult {
  return { resultType: "task", ...summaryOf(task) } as unknown as CallToolResult;
}

/** What `tasks/get` answers (SEP-2663, DetailedTask): the result of a task that is over stands in it. */
export function detailedTask(task: Task): Record<string, unknown> {
  return { ...summaryOf(task), ...detailOf(task) };
}

function summaryOf({ id, state, message, createdAt, updatedAt, keptMs, pollMs }: Task): Record<string, unknown> {
  return {
    taskId: id,
    status: state.status,
    ...(message !== undefined && { statusMessage: message }),
    createdAt: createdAt.toISOString(),
    lastUpdatedAt: updatedAt.toISOString(),
    ttlMs: keptMs,
    pollIntervalMs: pollMs,
  };
}

function detailOf({ state }: Task): Record<string, unknown> {
  switch (state.status) {
    case "input_required":
      return { inputRequests: state.questions };
    case "completed":
      return { result: state.result };
    case "failed":
      return { error: factsAsError(state.error) };
    default:
      return {};
  }
}
