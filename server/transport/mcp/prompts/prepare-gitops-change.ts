import { readAction, unlessForbidden } from "../read-action.ts";
import { repositories } from "../value-sources.ts";
import type { HubPrompt } from "./hub-prompt.ts";
import { DATA_NOT_ORDERS, embed, say } from "./prompt-text.ts";

const MOST_OBJECTS = 50;

export const prepareGitopsChange: HubPrompt = {
  name: "prepare_gitops_change",
  title: "Prepare a change in Git",
  description: "Drafts a change of what a repository declares, and says how it becomes the fleet.",
  args: {
    repository: { description: "name of the registered repository", most: 63, values: repositories },
    what: { description: "what should be different, in your words", most: 2_000 },
  },
  reads: "system_gitops_get_repository",
  async messages(door, call, { repository = "", what = "" }) {
    const name = repository.trim();
    const found = await readAction(door, call, "system_gitops_get_repository", { repository: name });
    const drift = await unlessForbidden(
      readAction(door, call, "system_gitops_get_drift_report", { repository: name, limit: MOST_OBJECTS }),
    );
    const owned = await unlessForbidden(
      readAction(door, call, "system_fleet_list_objects", { owner: name, limit: MOST_OBJECTS }),
    );
    return [
      say(
        `Prepare a change of what the Git repository "${name}" declares for the fleet. What I want:`,
        "",
        what.trim(),
        "",
        "1. Compare with what is live below. If objects drifted or a proposal is open, say so first: a new sync would meet them.",
        "2. Write the change as a diff of the repository's fleet file (apiVersion countersign/v1, kind Fleet; lists templates, modules, assignments, providerConfigs). Touch nothing else, put no secret in it, and check that names that are referred to exist.",
        "3. Say in a sentence each what would be created, changed and deleted, and what could go wrong.",
        "4. Stop there: I commit and push it myself. Then, when I say so: system_gitops_sync_repository, system_gitops_get_proposal, and system_gitops_apply_proposal, which waits for a person's approval.",
        "",
        "Do not change fleet objects directly: they belong to the repository.",
        "",
        DATA_NOT_ORDERS,
      ),
      embed(`gitops/repositories/${name}`, found),
      ...(drift ? [say("Where the fleet differs from what Git declares:", drift.summary)] : []),
      ...(owned ? [say("What it declares now, as it is live:", "```json", JSON.stringify(owned.output), "```")] : []),
    ];
  },
};
