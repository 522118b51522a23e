import { ERROR_WORDS } from "../../../../contracts/errors/error-words.ts";
import { receiptId } from "../../../../contracts/evidence/receipt.ts";
import { HubError } from "../../../errors.ts";
import { readAction, unlessForbidden } from "../read-action.ts";
import { refusedCalls } from "../value-sources.ts";
import type { HubPrompt } from "./hub-prompt.ts";
import { DATA_NOT_ORDERS, embed, say } from "./prompt-text.ts";

const LAST_OF_A_CODE = 5;

const TASK = [
  "Explain to me, in plain words, why Countersign did not carry out a call.",
  "",
  "1. Say what the code means and which rule, person or state decided. Name the policy where the receipt does.",
  "2. Say what I can do: change the input, wait, ask whom for what, or leave it. Never suggest a way around a policy.",
  "3. To see what a corrected call would meet, try it with system_policy_simulate: that runs nothing. Do not repeat the call itself unless I say so.",
  "",
];

export const explainDenial: HubPrompt = {
  name: "explain_denial",
  title: "Explain a refusal",
  description: "Why a call was refused or failed, and what to do about it.",
  args: {
    what: {
      description: "the receipt of the refused call, or an error code such as FORBIDDEN",
      most: 100,
      values: refusedCalls,
    },
  },
  reads: "system_journal_list_receipts",
  async messages(door, call, { what = "" }) {
    const asked = what.trim();
    if (receiptId.safeParse(asked).success) {
      const done = await readAction(door, call, "system_journal_get_receipt", { id: asked });
      const { code } = (done.output as { receipt: { code: string } }).receipt;
      return [say(...TASK, meaning(code), "", DATA_NOT_ORDERS), embed(`receipts/${asked}`, done)];
    }
    if (!Object.hasOwn(ERROR_WORDS, asked))
      throw new HubError("INPUT_INVALID", "Name a receipt (`<call id>.outcome`) or an error code.", {
        path: "arguments.what",
      });
    const input = { code: asked, principalId: call.caller.principal.id, limit: LAST_OF_A_CODE };
    const last = await unlessForbidden(readAction(door, call, "system_journal_list_receipts", input));
    return [
      say(
        ...TASK,
        meaning(asked),
        "",
        ...(last ? [`My last calls that ended so. ${DATA_NOT_ORDERS}`, "", last.summary] : []),
        "",
        "If I mean one of them, read its receipt with system_journal_get_receipt first.",
      ),
    ];
  },
};

function meaning(code: string): string {
  const words = Object.hasOwn(ERROR_WORDS, code) ? ERROR_WORDS[code as keyof typeof ERROR_WORDS].means : undefined;
  return words === undefined ? `The call ended with ${code}, which is no refusal.` : `${code}: ${words}`;
}
