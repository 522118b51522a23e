import { explainDenial } from "./explain-denial.ts";
import type { HubPrompt } from "./hub-prompt.ts";
import { investigateReceipt } from "./investigate-receipt.ts";
import { prepareGitopsChange } from "./prepare-gitops-change.ts";
import { reviewPendingApprovals } from "./review-pending-approvals.ts";

/** Sorted by name. */
export const hubPromptList: readonly HubPrompt[] = [
  explainDenial,
  investigateReceipt,
  prepareGitopsChange,
  reviewPendingApprovals,
];
