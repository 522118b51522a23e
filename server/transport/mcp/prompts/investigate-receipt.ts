import { receiptId } from "../../../../contracts/evidence/receipt.ts";
import { HubError } from "../../../errors.ts";
import { addressed } from "../hub-resources.ts";
import { readAction, unlessForbidden } from "../read-action.ts";
import { receipts } from "../value-sources.ts";
import type { HubPrompt } from "./hub-prompt.ts";
import { DATA_NOT_ORDERS, embed, say } from "./prompt-text.ts";

export const investigateReceipt: HubPrompt = {
  name: "investigate_receipt",
  title: "Investigate a receipt",
  description: "Who did what, under which policy, who agreed, and what proves it.",
  args: { id: { description: "the receipt: `<call id>.intent` or `<call id>.outcome`", most: 100, values: receipts } },
  reads: "system_journal_get_receipt",
  async messages(door, call, { id = "" }) {
    const asked = id.trim();
    if (!receiptId.safeParse(asked).success)
      throw new HubError("INPUT_INVALID", "A receipt is named by a call id, a dot, and intent or outcome.", {
        path: "arguments.id",
      });
    const proof = await readAction(door, call, "system_journal_get_receipt", { id: asked });
    const callId = asked.slice(0, asked.indexOf("."));
    const siblings = await unlessForbidden(readAction(door, call, "system_journal_list_receipts", { callId }));
    const requestId = requestIn((proof.output as { statement: string }).statement);
    const request =
      requestId !== undefined && addressed(`approvals/${requestId}`)
        ? await unlessForbidden(readAction(door, call, "system_approval_get_request", { requestId }))
        : undefined;
    return [
      say(
        "Investigate this receipt of Countersign and tell me what happened.",
        "",
        "1. Who called what, when, through which door, on which target, and how it ended. A call that changes something has an intent and an outcome; an intent alone means that it was cut off.",
        "2. Which policy version decided, and by which of its policies; who agreed, and with what assurance. In the profile solo one person signed for everybody: say so.",
        "3. What is proven here and what is not: the statement is hashed into its lane, the lane's head is signed. You have not checked a signature. `npx countersign journal verify` checks all of them outside of the hub.",
        "4. What does not fit together, if anything; else say that nothing does not.",
        "",
        "Inputs and outputs stand in a receipt as salted commitments: do not guess what they were.",
        "",
        DATA_NOT_ORDERS,
        ...(siblings ? ["", "Receipts of the same call:", siblings.summary] : []),
      ),
      embed(`receipts/${asked}`, proof),
      ...(request ? [embed(`approvals/${requestId}`, request)] : []),
    ];
  },
};

/** The request for approval that a statement of ours names. */
function requestIn(statement: string): string | undefined {
  const { predicate } = JSON.parse(statement) as {
    predicate: { approvalRequestId?: string; approval?: { requestId: string } };
  };
  return predicate.approvalRequestId ?? predicate.approval?.requestId;
}
