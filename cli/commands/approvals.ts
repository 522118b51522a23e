import { Command } from "commander";
import { requestSummary } from "../../contracts/approval/request-view.ts";
import { pageOf } from "../../contracts/page.ts";
import { type CliContext, connectedHub } from "../context.ts";
import { decideRequest } from "../decide-request.ts";
import { table } from "../terminal.ts";

export function approvalsCommand(context: CliContext): Command {
  return new Command("approvals")
    .description("what waits for people, newest first")
    .option("--state <state>", "open, approved, executed, denied, ...", "open")
    .action(async ({ state }: { state: string }) => {
      const page = await connectedHub(context).output(pageOf(requestSummary), "system_approval_list_requests", {
        state,
      });
      context.terminal.show(page, () => {
        if (!page.items.length) return "Nothing waits.";
        const rows = page.items.map((r) => [r.id, r.state, r.needs, `until ${r.approvalExpiresAt}`, r.headline]);
        return `${table(rows)}\n\nnpx countersign approve ${page.items[0]?.id}`;
      });
    });
}

export function approveCommand(context: CliContext): Command {
  return new Command("approve")
    .description("show what a request would do, ask, and sign with your own key")
    .argument("<id>", "of the request")
    .option("-y, --yes", "sign without asking; the preview is still shown")
    .option("--reason <text>")
    .action((id: string, options: { yes?: true; reason?: string }) => decideRequest(context, id, "approve", options));
}

export function rejectCommand(context: CliContext): Command {
  return new Command("reject")
    .description("veto a request, signed with your own key")
    .argument("<id>", "of the request")
    .requiredOption("--reason <text>", "why; the requester reads it")
    .option("-y, --yes", "sign without asking; the preview is still shown")
    .action((id: string, options: { yes?: true; reason: string }) => decideRequest(context, id, "reject", options));
}
