import { toHubError } from "../errors.ts";
import type { JournalLog } from "./journal-log.ts";
import type { OpenJournal } from "./open-journal.ts";
import { type Repeating, repeat } from "./repeat.ts";

/** What the owner of the tables said that it would do, without the root key, and what became of it. */
export interface RecoveryNote {
  readonly accountId: string;
  /** The hub's own principal there, in whose name the account's rows say that it was done. */
  readonly principalId: string;
  readonly callId: string;
  readonly action: string;
  /** Hex commitments. */
  readonly input: string;
  readonly output?: string;
  readonly target: { readonly type: string; readonly id: string };
  /** Whether the change committed; if not, it never will. */
  readonly effected: boolean;
}

export interface RecoveryNotes {
  /** Those that no journal has yet, oldest first. */
  unrecorded(): Promise<readonly RecoveryNote[]>;
  /** Does nothing before the journal has the call's outcome. */
  recorded(note: RecoveryNote): Promise<void>;
}

export interface RecoveryNoteOptions {
  readonly notes: RecoveryNotes;
  readonly journal: Pick<OpenJournal, "intent" | "outcome">;
  readonly log: JournalLog;
  readonly everyMs?: number;
}

/**
 * Puts notes of recoveries into the accounts' journals: once before this resolves, so that what was done while no hub ran
 * is recorded before anything else is, and then every few seconds. Any number of hubs may do it.
 */
export async function startRecordingNotes(options: RecoveryNoteOptions): Promise<Repeating> {
  await recordNotes(options);
  return repeat(() => recordNotes(options), {
    everyMs: options.everyMs ?? 3_000,
    onError: (err) => options.log.warn({ err }, "notes of recoveries are not in the journal yet; the hub tries again"),
  });
}

/** One that cannot be recorded keeps none of the others back. */
async function recordNotes({ notes, journal, log }: RecoveryNoteOptions): Promise<void> {
  for (const note of await notes.unrecorded()) {
    const { accountId, callId, action, effected } = note;
    try {
      await record(journal, note);
      await notes.recorded(note);
      log.warn(
        { accountId, callId, action, effected },
        "the owner of the tables recovered an account without the root key",
      );
    } catch (err) {
      log.error({ err, accountId, callId }, "a note of a recovery could not be recorded");
    }
  }
}

async function record(journal: RecoveryNoteOptions["journal"], note: RecoveryNote): Promise<void> {
  const { accountId, callId, action, input, output, target, principalId, effected } = note;
  const call = {
    ...{ callId, accountId, action, schemaDigest: "", channel: "cli", input, target },
    principal: { id: principalId, kind: "service" as const },
  };
  await once(() => journal.intent(call));
  const at = new Date();
  if (effected) await once(() => journal.outcome(call, { code: "OK", at, ...(output !== undefined && { output }) }));
  else await once(() => journal.outcome(call, { code: "CANCELLED", at }));
}

/** A crash in between, or another hub, may have written an entry already: a call has one intent and one outcome. */
async function once(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (toHubError(error).code !== "CONFLICT") throw error;
  }
}
