import * as z from "zod";
import { appliedObject, proposalSummary } from "../../../contracts/gitops/proposal.ts";
import { HubError } from "../../../server/errors.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import type { HubClient } from "../../hub-client.ts";
import { runWithConsent } from "../../run-with-consent.ts";
import { printable, table } from "../../terminal.ts";
import { movedInWords } from "./moved-words.ts";
import { readProposal, readRepository } from "./read-gitops.ts";
import { counted, indented, onLine, shortCommit } from "./shown-text.ts";

interface ApplyOptions {
  readonly force?: true;
  readonly yes?: true;
}

const applied = z.object({ proposal: proposalSummary, changed: z.int(), objects: z.array(appliedObject) });
type Applied = z.output<typeof applied>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Applies one proposal, or what is open of a repository: changes first, since what is deleted may be in use until then. Where
 * people have to agree first, what follows is left for later.
 */
export async function applyProposals(context: CliContext, of: string, options: ApplyOptions): Promise<void> {
  const { terminal } = context;
  const hub = connectedHub(context);
  const ids = UUID.test(of) ? [of] : (await readRepository(hub, of)).openProposals;
  const done: Applied[] = [];
  let waiting: unknown;
  for (const [i, proposalId] of ids.entries()) {
    const one = await applyOne(context, hub, proposalId, options);
    if (!("applied" in one)) {
      waiting = one.waiting;
      if (i + 1 < ids.length) terminal.note("What else is open can be applied after that: run this again then.");
      break;
    }
    done.push(one.applied);
    if (!terminal.json) terminal.print(appliedInWords(one.applied));
  }
  if (terminal.json) terminal.show({ applied: done, ...(waiting !== undefined && { waiting }) }, () => "");
  else if (ids.length === 0)
    terminal.print(`Nothing of ${onLine(of)} is open. Look for more: npx countersign gitops sync ${onLine(of)}`);
}

async function applyOne(
  context: CliContext,
  hub: HubClient,
  proposalId: string,
  { force, yes }: ApplyOptions,
): Promise<{ readonly applied: Applied } | { readonly waiting: unknown }> {
  const { terminal } = context;
  let waiting: unknown;
  // with --json a command prints one document, and this may be one proposal of two
  const asking: CliContext = terminal.json
    ? { ...context, terminal: { ...terminal, show: (value) => void (waiting = value) } }
    : context;
  try {
    const input = { proposalId, ...(force && { force }) };
    const output = await runWithConsent(asking, hub, "system_gitops_apply_proposal", input, { ...(yes && { yes }) });
    if (output) return { applied: applied.parse(output) };
    context.exitCode = asking.exitCode;
    return { waiting };
  } catch (error) {
    throw await explained(context, hub, proposalId, error);
  }
}

/** Objects may have moved before it was asked for, or between the signature and the change. */
async function explained(context: CliContext, hub: HubClient, proposalId: string, error: unknown): Promise<unknown> {
  if (!(error instanceof HubError) || !["PROPOSAL_STALE", "CONFLICT"].includes(error.code)) return error;
  const { proposal, moved } = await readProposal(hub, proposalId);
  if (proposal.state !== "stale") return error;
  const { terminal } = context;
  terminal.note(
    `Moved since this was proposed:\n${indented(movedInWords(terminal, moved))}\n\nSync again for a proposal about the fleet as it is:\n  npx countersign gitops sync ${onLine(proposal.repository)}`,
  );
  if (error.code === "PROPOSAL_STALE") return error;
  return new HubError("PROPOSAL_STALE", `The fleet moved before this was carried out, and nothing was changed.`, {
    cause: error,
    details: { moved },
  });
}

function appliedInWords({ proposal, changed, objects }: Applied): string {
  const { repository, items, commit, forced } = proposal;
  const over = forced ? ", over what others had changed" : "";
  const headline = `Applied${over}: ${changed} of ${counted(items, "object")} changed, as commit ${shortCommit(commit.id)} of ${repository} declares them.`;
  const rows = objects.map(({ change, kind, name, version }) => [change, `${kind}/${name}`, `version ${version}`]);
  const more = items - objects.length;
  return [printable(headline), indented(table(rows)), ...(more > 0 ? [`  and ${more} more`] : [])].join("\n");
}
