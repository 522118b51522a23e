import { Command } from "commander";
import { requestSummary } from "../../contracts/approval/request-view.ts";
import { pageOf } from "../../contracts/page.ts";
import { HubError } from "../../server/errors.ts";
import { type CliContext, connectedHub } from "../context.ts";
import { type DecideOptions, decideRequest } from "../decide-request.ts";
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
  const command = new Command("approve")
    .description("show what a request would do, ask, and sign with your own key")
    .argument("<id>", "of the request")
    .option("-y, --yes", "sign without asking; the preview is still shown")
    .option("--reason <text>");
  return withSigning(command).action((id: string, options: DecideOptions) =>
    decideRequest(context, id, "approve", options),
  );
}

export function rejectCommand(context: CliContext): Command {
  const command = new Command("reject")
    .description("veto a request, signed with your own key")
    .argument("<id>", "of the request")
    .option("--reason <text>", "why; the requester reads it (with --signature: the one that was signed)")
    .option("-y, --yes", "sign without asking; the preview is still shown");
  return withSigning(command).action((id: string, options: DecideOptions) => {
    if (options.reason === undefined && options.signature === undefined)
      throw new HubError("INPUT_INVALID", "A rejection says why: --reason <text>", { path: "reason" });
    return decideRequest(context, id, "reject", options);
  });
}

function withSigning(command: Command): Command {
  return command
    .option("--gpg [fingerprint]", "sign with your gpg instead: your OpenPGP key, or the one named")
    .option("--print-statement <file>", "sign nothing, write the bytes to sign to this file")
    .option("--signature <file>", "send the signature that an OpenPGP key made over those bytes")
    .option("--statement <file>", "where those bytes are; the signature's name without .sig or .asc if left out");
}
