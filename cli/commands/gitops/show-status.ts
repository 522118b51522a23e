import type { DriftReport } from "../../../contracts/gitops/drift-report.ts";
import type { RepositoryView } from "../../../contracts/gitops/repository.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import type { HubClient } from "../../hub-client.ts";
import { table } from "../../terminal.ts";
import { cutText } from "../../text-width.ts";
import { readDrift, readDriftCounts, readRepositories, readRepository, readRun } from "./read-gitops.ts";
import { commitInWords, counted, onLine, shortCommit } from "./shown-text.ts";

/** Drift is worked out for each repository anew: for many of them, by name alone. */
const MOST_WITH_DRIFT = 20;
const SUBJECT_WIDTH = 40;

type Standing = RepositoryView & { readonly drift: DriftReport["counts"] | null };

/** All repositories in a table; or one with its address, why its last sync failed, its proposals and what differs. */
export async function showStatus(context: CliContext, name: string | undefined): Promise<void> {
  const hub = connectedHub(context);
  if (name !== undefined) return showOne(context, hub, name);
  const repositories = await readRepositories(hub);
  const items: Standing[] = [];
  for (const repository of repositories) {
    const drift = repositories.length <= MOST_WITH_DRIFT ? await readDriftCounts(hub, repository.name) : null;
    items.push({ ...repository, drift });
  }
  context.terminal.show({ items }, () =>
    items.length > 0
      ? standingsInWords(items)
      : "No repository declares anything. Let one: npx countersign gitops add <name> <url>",
  );
}

async function showOne({ terminal }: CliContext, hub: HubClient, name: string): Promise<void> {
  const repository = await readRepository(hub, name);
  const drift = await readDrift(hub, name);
  const { lastRun } = repository;
  const error = lastRun?.errorCode ? (await readRun(hub, lastRun.id)).error : null;
  terminal.show({ ...repository, drift, error }, () => {
    const { url, branch, path, credential, head, objects, openProposals } = repository;
    const rows = [
      ["repository", name],
      ["declares", `${path} on ${branch} of ${url}`],
      ...(credential === null ? [] : [["credential", credential]]),
      ["head", head ? commitInWords(head) : "(not synced)"],
      ["last sync", lastRunInWords(lastRun)],
      ...(error ? [["", error.message]] : []),
      ["objects", String(objects)],
      ["differs", driftInWords(drift.counts)],
      ...drift.objects.map(({ words }) => ["", words]),
      ["proposals", openProposals.length > 0 ? `${openProposals.length} open` : "none"],
      ...openProposals.map((id) => ["", id]),
    ];
    return [table(rows), ...next(repository).map((command) => `\n${terminal.style("cyan", command)}`)].join("\n");
  });
}

const next = ({ name, head, openProposals }: RepositoryView): string[] => {
  if (openProposals.length > 0) return [`npx countersign gitops diff ${onLine(name)}`];
  return head === null ? [`npx countersign gitops sync ${onLine(name)}`] : [];
};

function standingsInWords(items: readonly Standing[]): string {
  const header = ["repository", "branch", "head", "", "objects", "proposals", "last sync", "differs"];
  return table([
    header,
    ...items.map(({ name, branch, head, objects, openProposals, lastRun, drift }) => [
      name,
      branch,
      head ? shortCommit(head.id) : "(not synced)",
      head ? cutText(onLine(head.subject), SUBJECT_WIDTH) : "",
      String(objects),
      openProposals.length > 0 ? `${openProposals.length} open` : "none",
      lastRunInWords(lastRun),
      drift ? driftInWords(drift) : "(ask by name)",
    ]),
  ]);
}

function lastRunInWords(run: RepositoryView["lastRun"]): string {
  if (!run) return "none";
  return run.errorCode === null ? run.status : `${run.status} (${run.errorCode})`;
}

export function driftInWords({ objects, pending, drifted }: DriftReport["counts"]): string {
  const words = [...(pending > 0 ? [`${pending} pending`] : []), ...(drifted > 0 ? [`${drifted} drifted`] : [])];
  if (words.length > 0) return `${words.join(", ")} of ${counted(objects, "object")}`;
  return objects > 0 ? "in sync" : "nothing declared";
}
