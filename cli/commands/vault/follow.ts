import { setTimeout as pause } from "node:timers/promises";
import type { Progress } from "../../../contracts/operations/progress.ts";
import type { Terminal } from "../../terminal.ts";

const FIRST_LOOK_MS = 200;
const LAST_LOOK_MS = 1_000;

/** Looks at long work, less and less often, until it is over or rests, and shows how far it is. */
export async function follow<T extends { readonly state: string; readonly progress: Progress }>(
  terminal: Terminal,
  look: () => Promise<T>,
  rests: (view: T) => boolean = () => false,
): Promise<T> {
  using bar = terminal.progressBar();
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.5, LAST_LOOK_MS)) {
    const view = await look();
    if (view.state !== "working" || rests(view)) return view;
    bar.show(view.progress);
    await pause(wait);
  }
}
