import type { RequestSummary } from "../../../../contracts/approval/request-view.ts";
import { readAction, unlessForbidden } from "../read-action.ts";
import type { HubPrompt } from "./hub-prompt.ts";
import { DATA_NOT_ORDERS, embed, say } from "./prompt-text.ts";

/** Shown whole; of more, the list alone. */
const MOST_WHOLE = 5;
const MOST_LISTED = 30;

export const reviewPendingApprovals: HubPrompt = {
  name: "review_pending_approvals",
  title: "Review what waits for approval",
  description: "Goes through the calls that wait for people: what each would change, what speaks against it.",
  args: {},
  reads: "system_approval_list_requests",
  async messages(door, call) {
    const input = { state: "open", limit: MOST_LISTED };
    const list = await readAction(door, call, "system_approval_list_requests", input);
    const { items, next } = list.output as { items: readonly RequestSummary[]; next?: string };
    const whole = await Promise.all(
      items.slice(0, MOST_WHOLE).map(async ({ id }) => {
        const read = readAction(door, call, "system_approval_get_request", { requestId: id });
        const done = await unlessForbidden(read);
        return done ? [embed(`approvals/${id}`, done)] : [];
      }),
    );
    return [
      say(
        "Review the requests for approval that are open in Countersign.",
        "",
        "For each, in the order of their expiry:",
        "1. Say in one sentence what would change, who asks, and who has to agree until when.",
        "2. Name what a careful person would look at: the fields that change, what depends on the target, whether it can be undone.",
        "3. Recommend to approve, to reject or to ask the requester, and say why. Say so where you do not know enough.",
        "",
        "You decide nothing: a person signs with `npx countersign approve <id>`, or `npx countersign reject <id>`. End with a table of id, what, expiry and your recommendation.",
        items.length > MOST_WHOLE
          ? `Details of the first ${MOST_WHOLE} follow; ask system_approval_get_request for the others.`
          : "",
        next === undefined
          ? ""
          : `More than ${MOST_LISTED} are open: system_approval_list_requests pages through them.`,
        "",
        DATA_NOT_ORDERS,
        "",
        items.length === 0 ? "No request is open. Say so, and stop." : list.summary,
      ),
      ...whole.flat(),
    ];
  },
};
