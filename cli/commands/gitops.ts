import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { applyProposals } from "./gitops/apply-proposals.ts";
import { addRepository, rejectProposal, removeRepository } from "./gitops/keep-repositories.ts";
import { showDiff } from "./gitops/show-diff.ts";
import { showStatus } from "./gitops/show-status.ts";
import { syncRepository } from "./gitops/sync-repository.ts";

const YES = ["-y, --yes", "sign without asking, where your own signature is enough"] as const;

interface AddOptions {
  readonly branch: string;
  readonly path: string;
  readonly credential?: string;
  readonly yes?: true;
}

export function gitopsCommand(context: CliContext): Command {
  const command = new Command("gitops").description("what Git declares of the fleet: sync, look at it, apply it");
  command
    .command("status [repository]", { isDefault: true })
    .description("repositories: last commit, what waits, what differs")
    .action((repository: string | undefined) => showStatus(context, repository));
  command
    .command("sync <repository>")
    .description("fetch, compare, propose; follows it to its end (exit code 1 where objects cannot be proposed)")
    .option("--accept-rewrite", "take the branch as it is although its history was rewritten; a person approves")
    .option(...YES)
    .addHelpText(
      "after",
      `
Changes nothing in the fleet. Where a sync of the repository runs already, that
one is followed. A sync that failed ends with the exit code of its error.`,
    )
    .action((repository: string, options: { acceptRewrite?: true; yes?: true }) =>
      syncRepository(context, repository, options),
    );
  command
    .command("diff <repository>")
    .description("what its open proposals would change, field by field, and what was changed past Git")
    .action((repository: string) => showDiff(context, repository));
  command
    .command("apply <repository-or-proposal-id>")
    .description("make the fleet what the open proposals say: changes, then deletes, each with its own approval")
    .option("--force", "overwrite objects that others changed since; two people agree")
    .option(...YES)
    .action((of: string, options: { force?: true; yes?: true }) => applyProposals(context, of, options));
  command
    .command("reject <proposalId>")
    .description("turn a proposal down")
    .requiredOption("--reason <text>", "why; whoever committed it reads this")
    .action((proposalId: string, { reason }: { reason: string }) => rejectProposal(context, proposalId, reason));
  command
    .command("add <name> <url>")
    .description("let a branch of a Git repository declare a part of the fleet; a person approves")
    .option("--branch <branch>", "which one", "main")
    .option("--path <file>", "the file that declares the fleet", "fleet.yaml")
    .option("--credential <name>", "of a private one: the stored credential to fetch it with")
    .option(...YES)
    .action((name: string, url: string, { yes, ...rest }: AddOptions) =>
      addRepository(context, { name, url, ...rest }, { ...(yes && { yes }) }),
    );
  command
    .command("remove <name>")
    .description("take a repository off; its fleet objects stay, and belong to nobody")
    .option(...YES)
    .action((name: string, options: { yes?: true }) => removeRepository(context, name, options));
  return command;
}
