import { HubError } from "../../server/errors.ts";
import type { CliContext } from "../context.ts";
import { Narrator } from "./narrator.ts";
import { openScratchAccount, type ScratchAccount } from "./scratch-account.ts";

/** What a demo tells. */
export interface Story {
  /** Throws where a call ends otherwise than told, and the signal's reason between two calls. */
  readonly tellStory: (account: ScratchAccount, tell: Narrator, signal: AbortSignal) => Promise<void>;
  /** Commands for one's own hub, each with what it is for. */
  readonly FOR_REAL: readonly (readonly [command: string, what: string])[];
}

/** Runs a demo in a scratch hub, which is gone afterwards: also when it fails, and on Ctrl-C. */
export async function runDemo(context: CliContext, { tellStory, FOR_REAL }: Story): Promise<void> {
  const { terminal } = context;
  const tell = new Narrator(terminal);
  const stop = new AbortController();
  const interrupt = () => stop.abort(new HubError("CANCELLED", "The demo was stopped; nothing of it is left."));
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  const began = performance.now();
  try {
    tell.aside(
      "A hub of its own is started for this: PostgreSQL, keys and people in a temporary\n" +
        "folder that is removed at the end. Nothing of yours is touched.",
    );
    await using account = await openScratchAccount(context, stop.signal);
    // what is under way ends before the folder is removed, or it would write into it again
    await tellStory(account, tell, stop.signal);
  } catch (error) {
    // what was left behind is told before why the demo ended
    if (error instanceof SuppressedError) throw error.error;
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  if (terminal.json) return terminal.show({ steps: tell.steps, seconds }, () => "");
  const rows = FOR_REAL.map(([command, what]) => `  ${terminal.style("cyan", command.padEnd(46))}  ${what}`);
  tell.aside(`That was the whole way, in ${seconds} s. For real:\n\n${rows.join("\n")}`);
}
