/** The inside of the thread that reads declared fleets: one task after the other. */
import { parentPort } from "node:worker_threads";
import { toHubError } from "../../errors.ts";
import { withPlaces } from "./declared-places.ts";
import { includesOf, readDesiredState } from "./read-fleet-file.ts";
import type { ReadingAnswer, ReadingTask } from "./reading-thread.ts";

const asked = parentPort;
if (!asked) throw new Error("this file is the inside of a thread");

function answerTo(task: ReadingTask): ReadingAnswer {
  try {
    if (task.kind === "includes") return { kind: "includes", includes: includesOf(task.text) };
    return { kind: "state", state: { objects: readDesiredState(task.files).objects.map(withPlaces) } };
  } catch (error) {
    const { code, message, details } = toHubError(error);
    if (code === "INTERNAL") throw error;
    return { kind: "refused", code, message, details };
  }
}

asked.on("message", (task: ReadingTask) => asked.postMessage(answerTo(task)));
