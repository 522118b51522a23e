import type { ApprovalDesk } from "../action/approval-desk.ts";
import type { Approvals } from "../action/approvals.ts";
import { stateAt } from "../domain/approvals/request-state.ts";
import { openResult } from "./held-call.ts";
import { type OpeningSetup, openRequest } from "./open-request.ts";
import { type RecheckSetup, recheckApprovers } from "./recheck-approvers.ts";
import { type SettlingSetup, settleRequest } from "./settle-request.ts";
import { heldCallOf } from "./take-request.ts";

export type ApprovalsSetup = OpeningSetup & RecheckSetup & SettlingSetup;

/** The guard that turns a demand into people's signatures and back into one execution. */
export function createApprovals(setup: ApprovalsSetup): Approvals {
  return {
    open: (tx, ask) => openRequest(setup, tx, ask),

    async take(accountId, requestId) {
      const found = await setup.store.read(accountId, async ({ approvals }) => {
        const request = await approvals.find(requestId);
        if (request === undefined || stateAt(request, setup.now()) !== "approved") return undefined;
        return { request, decisions: await approvals.decisions(requestId) };
      });
      return found && heldCallOf(setup.keys, accountId, found.request, found.decisions);
    },

    settle: (tx, held, settlement) => settleRequest(setup, tx, held, settlement),
    recheck: (held, caller) => recheckApprovers(setup, held, caller),
  };
}

/** What the approval actions need of it. */
export function createApprovalDesk({ keys, approvers }: Pick<ApprovalsSetup, "keys" | "approvers">): ApprovalDesk {
  return {
    mayHold: async (caller, permission, request) =>
      approvers.mayHold(caller, permission, await heldCallOf(keys, caller.account.id, request, [])),
    openResult: (accountId, request) => openResult(keys, accountId, request),
  };
}
