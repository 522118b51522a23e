import * as z from "zod";
import { driftReport } from "../../contracts/gitops/drift-report.ts";
import { type SyncRunView, syncRunView } from "../../contracts/gitops/sync-run.ts";
import { HubError } from "../../server/errors.ts";
import { EXIT } from "../exit-codes.ts";
import { Committer } from "./committer.ts";
import type { Narrator } from "./narrator.ts";
import type { ScratchAccount } from "./scratch-account.ts";
import { shopFleet } from "./shop-fleet.ts";
import { requestIn, requestOf, Stage, spaced } from "./stage.ts";

/** What to do next, in one's own hub. */
export const FOR_REAL = [
  ["npx countersign gitops add <name> <url>", "a repository of yours"],
  ["npx countersign gitops sync <name>", "what it declares"],
  ["npx countersign gitops diff <name>", "what it would change"],
  ["npx countersign gitops apply <name>", "see the preview, sign"],
  ["npx countersign gitops status", "what differs"],
] as const;

const FILE = "fleet.yaml";
const run = z.object({ run: syncRunView });

/** From a commit to the fleet and back, told step by step. Every call and every commit is made as it is shown. */
export async function tellStory(account: ScratchAccount, tell: Narrator, signal: AbortSignal): Promise<void> {
  const story = new Story(account, tell, signal);
  await story.register();
  await story.firstCommit();
  await story.propose();
  await story.apply();
  await story.secondCommit();
  await story.pastGit();
  await story.mend();
  await story.badCommit();
  await story.rewrite();
  await story.receipts();
}

class Story {
  readonly #account: ScratchAccount;
  readonly #tell: Narrator;
  readonly #stage: Stage;
  readonly #grace: Committer;
  #proposal = "";

  constructor(account: ScratchAccount, tell: Narrator, signal: AbortSignal) {
    this.#account = account;
    this.#tell = tell;
    this.#stage = new Stage(account.agent, tell, signal);
    this.#grace = new Committer("grace", account.repositories, tell, signal);
  }

  async register(): Promise<void> {
    this.#tell.step(
      "A repository may declare a part of the fleet",
      "Grace has a Git repository. That it may speak for the fleet is for a person to agree to: Ada asks, and her own " +
        "signature counts, as long as she is alone (profile solo).",
    );
    await this.#grace.begin();
    await this.#ada("gitops", "add", "shop", this.#grace.url, "--yes");
  }

  async firstCommit(): Promise<void> {
    this.#tell.step(
      "A commit, and a sync",
      "Grace commits what the fleet should be. The agent syncs: the hub fetches the branch with nothing of the " +
        "repository's own settings or hooks, reads the file and compares. Nothing is changed.",
    );
    await this.#commit({ replicas: 2, banner: true }, "Open the shop");
    await this.#grace.does(["show", `HEAD:${FILE}`]);
    this.#proposal = (await this.#sync()).proposals[0]?.id ?? "";
  }

  async propose(): Promise<void> {
    this.#tell.step(
      "What it would do, in words",
      "For somebody who never saw the schema; field by field it is in the preview.",
    );
    await this.#stage.agent("system_gitops_get_proposal", { proposalId: this.#proposal });
  }

  async apply(): Promise<void> {
    this.#tell.step(
      "The agent asks, Ada signs",
      "What she signs is bound to the proposal's digest and to the objects as they were found. The hub carries it out " +
        "in one transaction, as the agent, and the fleet is what the commit declares.",
    );
    const asked = await this.#stage.agent(
      "system_gitops_apply_proposal",
      { proposalId: this.#proposal },
      { code: "APPROVAL_PENDING" },
    );
    await this.#stage.at(this.#account.ada, ["approve", requestOf(asked), "--yes"], { lines: 16 });
    await this.#drift();
  }

  async secondCommit(): Promise<void> {
    this.#tell.step(
      "A second commit: changes and deletes apart",
      "One more replica, and the banner goes. What changes and what deletes are two proposals, each with an approval " +
        "of its own.",
    );
    await this.#commit({ replicas: 3, banner: false }, "A third replica, no banner");
    await this.#grace.does(["show", "--format=", "--unified=0", "HEAD"]);
    await this.#sync();
    await this.#stage.at(this.#account.ada, ["gitops", "diff", "shop"], { lines: 24 });
    await this.#stage.at(this.#account.ada, ["gitops", "apply", "shop", "--yes"], { lines: 30 });
  }

  async pastGit(): Promise<void> {
    const { ada } = this.#account;
    this.#tell.step(
      "Somebody goes past Git",
      "At night Ada gives the shop ten replicas by hand. She may, with her signature; but it is not what Git says, and " +
        "the drift report tells who, when, and the receipt.",
    );
    const object = {
      kind: "Assignment",
      name: "shop-eu",
      spec: { template: "shop", provider: "edge", selector: { region: "eu" }, parameters: { replicas: 10 } },
    };
    const input = spaced({ object, expectedVersion: 2 });
    const asked = await this.#stage.at(ada, ["call", "system_fleet_put_object", input], { ending: EXIT.pending });
    await this.#stage.at(ada, ["approve", requestIn(asked), "--yes"]);
    const { structuredContent } = await this.#drift({ drifted: true });
    const receiptId = driftReport.parse(structuredContent).objects[0]?.receiptId ?? "";
    await this.#stage.at(ada, ["journal", "show", receiptId]);
  }

  async mend(): Promise<void> {
    this.#tell.step(
      "The next sync proposes to mend it",
      "The same commit, and a new proposal, since the fleet is another one. Nobody's edit is undone behind anybody's back.",
    );
    await this.#sync();
    await this.#ada("gitops", "apply", "shop", "--yes");
    await this.#drift();
  }

  async badCommit(): Promise<void> {
    this.#tell.step(
      "A commit that cannot be read",
      "The sync fails with file, line and column. What was read last still stands, and so does the fleet.",
    );
    await this.#commit({ replicas: 3, banner: false, port: "eighty" }, "Another port");
    await this.#stage.at(this.#account.ada, ["gitops", "sync", "shop"], { ending: EXIT.failed });
    await this.#ada("gitops", "status", "shop");
  }

  async rewrite(): Promise<void> {
    this.#tell.step(
      "A history that is rewritten",
      "Grace pushes with force: the commit that people agreed to is not in the branch's history any more. That is " +
        "refused until a person accepts it.",
    );
    await this.#grace.does(
      ["reset", "--quiet", "--hard", "HEAD~2"],
      ["commit", "--quiet", "--amend", "--message", "As if nothing had been"],
      ["push", "--quiet", "--force", "origin", "main"],
    );
    await this.#stage.at(this.#account.ada, ["gitops", "sync", "shop"], { ending: EXIT.failed });
  }

  async receipts(): Promise<void> {
    this.#tell.step("The receipts", "Every sync, approval and change left one, the refused and failed ones too.");
    await this.#ada("journal", "tail", "--once", "--lines", "6");
    await this.#ada("journal", "verify");
  }

  async #commit(shop: Parameters<typeof shopFleet>[0], subject: string): Promise<void> {
    this.#grace.write(FILE, shopFleet(shop));
    await this.#grace.does(["add", FILE], ["commit", "--message", subject], ["push", "--quiet", "origin", "main"]);
  }

  /** By the agent, who looks until it ended. */
  async #sync(): Promise<SyncRunView> {
    const begun = await this.#stage.agent("system_gitops_sync_repository", { repository: "shop" });
    const { id } = run.parse(begun.structuredContent).run;
    const ended = await this.#stage.agent(
      "system_gitops_get_sync_run",
      { runId: id },
      { until: (output) => run.parse(output).run.status !== "pending" },
    );
    const { run: sync } = run.parse(ended.structuredContent);
    if (sync.status !== "success") throw new HubError("INTERNAL", `The sync ended as ${sync.status}.`);
    return sync;
  }

  /** Receipts are sequenced a moment after the change that they are of. */
  #drift({ drifted = false } = {}) {
    const until = (output: unknown) => {
      const { objects, inSync } = driftReport.parse(output);
      return drifted ? typeof objects[0]?.receiptId === "string" : inSync;
    };
    return this.#stage.agent("system_gitops_get_drift_report", { repository: "shop" }, { until });
  }

  #ada(...args: string[]) {
    return this.#stage.at(this.#account.ada, args);
  }
}
