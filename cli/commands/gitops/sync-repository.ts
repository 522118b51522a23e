import * as z from "zod";
import { type SyncProblem, type SyncRunView, syncRunView } from "../../../contracts/gitops/sync-run.ts";
import { HubError } from "../../../server/errors.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { EXIT, exitCodeOf } from "../../exit-codes.ts";
import type { HubClient } from "../../hub-client.ts";
import { runWithConsent } from "../../run-with-consent.ts";
import type { Terminal } from "../../terminal.ts";
import { followRun } from "./follow-run.ts";
import { commitInWords, counted, onLine } from "./shown-text.ts";

interface SyncOptions {
  readonly acceptRewrite?: true;
  readonly yes?: true;
}

const begun = z.object({ run: syncRunView });
const running = z.object({ runId: z.string() });
const MOST_PROBLEMS = 50;

/** Begins a sync, or takes up the one that runs, and follows it to its end, which is what the exit code tells. */
export async function syncRepository(context: CliContext, repository: string, options: SyncOptions): Promise<void> {
  const { terminal } = context;
  const hub = connectedHub(context);
  const runId = await beginSync(context, hub, repository, options);
  if (runId === undefined) return;
  const run = await followRun(hub, terminal, runId);
  if (run.status === "partial") context.exitCode = EXIT.failed;
  else if (run.status !== "success") context.exitCode = exitCodeOf(run.error?.code ?? "");
  terminal.show(run, () => runInWords(terminal, run));
}

async function beginSync(
  context: CliContext,
  hub: HubClient,
  repository: string,
  { acceptRewrite, yes }: SyncOptions,
): Promise<string | undefined> {
  const input = { repository, ...(acceptRewrite && { acceptRewrite }) };
  try {
    const consent = { ...(yes && { yes }) };
    const output = await runWithConsent(context, hub, "system_gitops_sync_repository", input, consent);
    return output && begun.parse(output).run.id;
  } catch (error) {
    // the one that runs was not asked to take a rewritten history
    if (!(error instanceof HubError) || error.code !== "SYNC_RUNNING" || acceptRewrite) throw error;
    const { success, data } = running.safeParse(error.details);
    if (!success) throw error;
    context.terminal.note(`${onLine(error.message)} Following that run: ${onLine(data.runId)}`);
    return data.runId;
  }
}

function runInWords(terminal: Terminal, run: SyncRunView): string {
  const { repository, status, commit, counts, error, progress, problems, proposals } = run;
  const colour = { success: "green", partial: "yellow", failed: "red", pending: "dim" } as const;
  // where a file is at fault, the message tells the first of the problems that follow
  const ended = error ? error.code + (problems.length > 0 ? "" : `: ${error.message}`) : progress.sentence;
  const shown = problems.slice(0, MOST_PROBLEMS).map(problemInWords);
  const more = problems.length - shown.length;
  return [
    `Sync of ${onLine(repository)}: ${terminal.style(colour[status], status)}. ${onLine(ended)}`,
    ...(commit ? [`commit ${commitInWords(commit)}`] : []),
    ...(counts ? [countsInWords(counts)] : []),
    ...shown,
    ...(more > 0 ? [`and ${counted(more, "more problem")}`] : []),
    // changes before deletes, as they are to be applied
    ...proposals
      .toSorted((a, b) => (a.riskClass < b.riskClass ? -1 : 1))
      .map(
        ({ id, riskClass, state, items }) =>
          `proposal ${onLine(id)}: ${riskClass} of ${counted(items, "object")}, ${state}`,
      ),
    ...nextSteps(run).map((command) => `\n${terminal.style("cyan", command)}`),
  ].join("\n");
}

function countsInWords({ declared, unchanged, create, update, adopt, delete: gone, refused }: SyncCounts): string {
  const parts = [
    [create, "to create"],
    [update, "to change"],
    [adopt, "to take over"],
    [gone, "to delete"],
    [unchanged, "as they should be"],
    [refused, "that cannot be proposed"],
  ] as const;
  const words = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return `${counted(declared, "object")} declared${words.length > 0 ? `: ${words.join(", ")}` : ""}`;
}

type SyncCounts = NonNullable<SyncRunView["counts"]>;

/** `fleet.yaml:12:7 templates[0].spec.version: a semantic version such as 1.4.0` */
function problemInWords({ file, line, column, path, message }: SyncProblem): string {
  const place = file === null ? [] : [[file, line, column].filter((part) => part !== null).join(":")];
  return onLine(`${[...place, ...(path === "" ? [] : [path])].join(" ")}: ${message}`);
}

function nextSteps({ repository, proposals, error }: SyncRunView): string[] {
  const name = onLine(repository);
  if (error?.code === "GIT_HISTORY_REWRITTEN") return [`npx countersign gitops sync ${name} --accept-rewrite`];
  if (!proposals.some(({ state }) => state === "open")) return [];
  return [`npx countersign gitops diff ${name}`, `npx countersign gitops apply ${name}`];
}
