import type { DriftReport } from "../../../contracts/gitops/drift-report.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import type { Terminal } from "../../terminal.ts";
import { movedInWords } from "./moved-words.ts";
import { type ProposalDetail, readDrift, readProposal, readRepository } from "./read-gitops.ts";
import { driftInWords } from "./show-status.ts";
import { changesInWords, commitInWords, indented, onLine } from "./shown-text.ts";

/** What the open proposals of a repository would change, changes first; then how the fleet differs from what was applied. */
export async function showDiff(context: CliContext, name: string): Promise<void> {
  const { terminal } = context;
  const hub = connectedHub(context);
  const repository = await readRepository(hub, name);
  const proposals: ProposalDetail[] = [];
  for (const id of repository.openProposals) proposals.push(await readProposal(hub, id));
  const drift = await readDrift(hub, name);
  terminal.show({ repository, proposals, drift }, () => {
    if (!repository.head) return `${onLine(name)} was not synced yet.\n\nnpx countersign gitops sync ${onLine(name)}`;
    const stale = proposals.some(({ proposal }) => proposal.state === "stale");
    const command = `npx countersign gitops ${stale ? "sync" : "apply"} ${onLine(name)}`;
    return [
      `${onLine(name)} at ${commitInWords(repository.head)}`,
      ...(proposals.length > 0
        ? proposals.map((detail) => proposalInWords(terminal, detail))
        : ["Nothing is proposed."]),
      liveInWords(terminal, drift, proposals.length > 0),
      ...(proposals.length > 0 ? [terminal.style("cyan", command)] : []),
    ].join("\n\n");
  });
}

function proposalInWords(terminal: Terminal, { proposal, items, moved }: ProposalDetail): string {
  const { id, state, words, riskClass } = proposal;
  return [
    `${terminal.style(riskClass === "deletes" ? "red" : "cyan", riskClass)}, proposal ${onLine(id)}, ${state}`,
    onLine(words),
    ...items.map((item) =>
      indented(changesInWords(terminal, item.words, item.action === "delete" ? [] : item.changes)),
    ),
    ...(moved.length > 0
      ? [`moved since, so that it cannot be applied:\n${indented(movedInWords(terminal, moved))}`]
      : []),
  ].join("\n");
}

/** What is pending alone is told by a proposal, where there is one. */
function liveInWords(terminal: Terminal, { counts, objects }: DriftReport, proposed: boolean): string {
  const told = objects.filter(({ isDrifted }) => isDrifted || !proposed);
  return [
    `The fleet: ${driftInWords(counts)}`,
    ...told.map(({ words, drifted, receiptId }) =>
      indented(
        [changesInWords(terminal, words, drifted), ...(receiptId ? [`  receipt ${onLine(receiptId)}`] : [])].join("\n"),
      ),
    ),
  ].join("\n");
}
