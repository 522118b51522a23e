import { setTimeout as pause } from "node:timers/promises";
import { OPERATOR } from "../cli/context.ts";
import { openOwnRequest, signDecision } from "../cli/decide-request.ts";
import { HubClient } from "../cli/hub-client.ts";
import { callWithOwnSignature } from "../cli/run-with-consent.ts";
import { requestDetail } from "../contracts/approval/request-view.ts";
import { type SyncRunView, syncRunView } from "../contracts/gitops/sync-run.ts";
import type { ScratchHub } from "./scratch-hub.ts";

const APPLY = "system_gitops_apply_proposal";

/** Milliseconds, by the hub's clock unless it says otherwise. */
export interface AppliedTimes {
  /** By the caller's: the proposal is judged object by object, and its preview made. */
  readonly asking: number;
  /** From the signed decision to the change being made. */
  readonly decided: number;
  /** From the durable intent to the outcome, both of the call that applies. */
  readonly carriedOut: number;
}

/** The one person of a scratch hub, who syncs and applies. */
export class GitopsOperator {
  readonly #folder: ScratchHub["folder"];
  readonly #hub: HubClient;

  constructor({ folder, hub }: ScratchHub) {
    this.#folder = folder;
    this.#hub = new HubClient(hub.ready.url, folder.token(OPERATOR) ?? "");
  }

  async register(name: string, url: string): Promise<void> {
    await callWithOwnSignature(this.#hub, this.#folder, "system_gitops_register_repository", { name, url });
  }

  /** The run, when it has ended; it is looked at rarely, since looking takes the hub's time too. */
  async sync(repository: string): Promise<SyncRunView> {
    const { output } = await this.#hub.done("system_gitops_sync_repository", { repository });
    const runId = syncRunView.parse(output["run"]).id;
    for (;;) {
      await pause(100);
      const { output: seen } = await this.#hub.done("system_gitops_get_sync_run", { runId });
      const run = syncRunView.parse(seen["run"]);
      if (run.status === "pending") continue;
      if (run.status !== "success") throw new Error(`the sync ended as ${run.status}: ${run.error?.message}`);
      return run;
    }
  }

  async apply({ proposals }: SyncRunView): Promise<AppliedTimes> {
    const [proposal] = proposals;
    if (!proposal) throw new Error("the sync proposed nothing");
    const began = performance.now();
    const answer = await this.#hub.call(APPLY, { proposalId: proposal.id });
    const asking = performance.now() - began;
    if (answer.status === "done") throw new Error("nobody had to agree");
    const { requestId } = answer.approval;
    const asked = await this.#request(requestId);
    const request = openOwnRequest(this.#folder, requestId, asked);
    await signDecision(this.#folder, this.#hub, { id: requestId, request, decision: "approve" });
    await this.#proposalIs("applied", proposal.id);
    const { state, decisions, closedAt, executionCallId } = await this.#request(requestId);
    if (state !== "executed") throw new Error(`the request ended as ${state}`);
    const [intent, outcome] = await this.#receiptTimes(executionCallId ?? "");
    return {
      asking,
      decided: timeOf(closedAt) - timeOf(decisions[0]?.decidedAt),
      carriedOut: timeOf(outcome) - timeOf(intent),
    };
  }

  #request(requestId: string) {
    return this.#hub.output(requestDetail, "system_approval_get_request", { requestId });
  }

  async #proposalIs(state: string, proposalId: string): Promise<void> {
    for (;;) {
      await pause(200);
      const { output } = await this.#hub.done("system_gitops_list_proposals", { state, limit: 1 });
      if ((output["items"] as { id: string }[])[0]?.id === proposalId) return;
    }
  }

  async #receiptTimes(callId: string): Promise<[intent: string | undefined, outcome: string | undefined]> {
    for (;;) {
      const { output } = await this.#hub.done("system_journal_list_receipts", { callId });
      const items = output["items"] as { phase: string; at: string }[];
      const at = (phase: string) => items.find((item) => item.phase === phase)?.at;
      if (items.length === 2) return [at("intent"), at("outcome")];
      await pause(100);
    }
  }
}

const timeOf = (text: string | undefined): number => new Date(text ?? Number.NaN).getTime();
