import type { SyncRunView } from "../../../contracts/gitops/sync-run.ts";
import { escapePlaces as shown } from "../approvals/escape-preview.ts";

const MOST_PROBLEMS = 5;

/** A run as a person reads it in a chat: how it stands, what is wrong and where, what to do next. */
export function runInWords(run: SyncRunView): string {
  const { repository, status, progress, error, problems, proposals, commit } = run;
  const lines = [
    `Sync of ${repository}: ${status}. ${error ? `${error.code}: ${shown(error.message)}` : shown(progress.sentence)}`,
  ];
  if (commit) lines.push(`Commit ${commit.id.slice(0, 10)} by ${shown(commit.author)}: ${shown(commit.subject)}`);
  for (const { file, line, column, path, message } of problems.slice(0, MOST_PROBLEMS))
    lines.push(`- ${shown(file === null ? path : `${file}:${line}:${column} ${path}`)}: ${shown(message)}`);
  if (problems.length > MOST_PROBLEMS) lines.push(`- and ${problems.length - MOST_PROBLEMS} more problems`);
  for (const { id, riskClass, state, items } of proposals)
    lines.push(`Proposal ${id}: ${items} ${items === 1 ? "object" : "objects"}, ${riskClass}, ${state}`);
  if (proposals.some(({ state }) => state === "open"))
    lines.push("Next: system_gitops_get_proposal, then system_gitops_apply_proposal.");
  return lines.join("\n");
}
