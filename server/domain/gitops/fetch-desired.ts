import type { Progress } from "../../../contracts/operations/progress.ts";
import { HubError } from "../../errors.ts";
import type { DesiredState } from "./desired-state.ts";
import { findRun } from "./find-repository.ts";
import type { GitCommit, GitLogin, GitMirror, GitSource } from "./git-mirror.ts";
import type { GitopsReader, Repository, SyncRun } from "./gitops-store.ts";
import { LatestReports } from "./latest-reports.ts";
import { ReadingThread } from "./reading-thread.ts";
import { SYNC_STEPS } from "./start-sync.ts";
import { GITOPS_CONSUMER } from "./targets.ts";

/** What a sync has found outside, before it looks at the fleet. */
export interface Fetched {
  readonly commit: GitCommit;
  /** The head that the new one was compared with. */
  readonly previousCommit?: string;
  readonly desired: DesiredState;
}

export interface Reach {
  readonly read: <T>(fn: (gitops: GitopsReader) => Promise<T>) => Promise<T>;
  readonly git: GitMirror;
  readonly progress: (progress: Progress) => Promise<void>;
  /** Opens the credential that a repository names, by its id, for the host that is about to be asked. */
  readonly open: (credentialId: string, use: { readonly consumer: string; readonly host: string }) => Promise<GitLogin>;
  readonly signal: AbortSignal;
}

/**
 * The part of a sync that reaches out: fetches the branch, reads what the commit declares. Throws what GitMirror throws,
 * GIT_HISTORY_REWRITTEN, DESIRED_STATE_INVALID, CREDENTIAL_*. The mirror keeps the last good commit, whatever comes of this.
 */
export async function fetchDesired(runId: string, { read, git, progress, open, signal }: Reach): Promise<Fetched> {
  const { run, repository } = await read(async (gitops) => {
    const found = await findRun(gitops, runId);
    return { run: found, repository: await gitops.repositoryById(found.repositoryId) };
  });
  if (!repository) throw new HubError("NOT_FOUND", `The repository ${run.repository} was removed meanwhile.`);
  const step = (done: number, sentence: string) => progress({ done, total: SYNC_STEPS, sentence });
  const { id: repositoryId, name, branch, url, path, head, credential } = repository;
  await step(0, `Fetching ${branch} from ${placeOf(url)}.`);
  const login = credential && ((host: string) => open(credential.id, { consumer: GITOPS_CONSUMER(name), host }));
  const source = { repositoryId, url, branch, ...(login && { login }) };
  const commit = await fetchTelling(git, source, signal, (sentence) => step(0, sentence));
  await using reading = new ReadingThread(signal);
  if (head) await refuseRewrite(git, { repository, run, head, commit });
  await step(1, `Reading ${path} of commit ${short(commit.id)}.`);
  const files = await git.readFiles(repositoryId, commit.id, path, (text) => reading.includes(text));
  const desired = await reading.state(files);
  await step(2, `Comparing ${desired.objects.length} declared objects with the fleet.`);
  return { commit, ...(head && { previousCommit: head.id }), desired };
}

/** Git says much while it fetches: no older sentence comes after a newer one, and none when it has ended. */
async function fetchTelling(
  git: GitMirror,
  source: GitSource,
  signal: AbortSignal,
  tell: (sentence: string) => Promise<void>,
): Promise<GitCommit> {
  const reports = new LatestReports(tell);
  try {
    return await git.fetch(source, { signal, progress: (sentence) => reports.say(sentence) });
  } finally {
    await reports.end();
  }
}

/** A branch that lost the commit it stood at: what people agreed to before is not in its history any more. */
async function refuseRewrite(
  git: GitMirror,
  at: { readonly repository: Repository; readonly run: SyncRun; readonly head: GitCommit; readonly commit: GitCommit },
): Promise<void> {
  const { repository, run, head, commit } = at;
  if (run.acceptsRewrite || commit.id === head.id) return;
  if (await git.isAncestor(repository.id, head.id, commit.id)) return;
  throw new HubError(
    "GIT_HISTORY_REWRITTEN",
    `The branch ${repository.branch} of ${repository.name} was rewritten: ${short(head.id)}, synced last, is not in the history of ${short(commit.id)}. Nothing was changed. If that is meant, sync with acceptRewrite.`,
    { details: { head: head.id, found: commit.id } },
  );
}

export const short = (commitId: string): string => commitId.slice(0, 10);

function placeOf(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return protocol === "file:" ? pathname : host;
}
