import * as z from "zod";
import { repositoryView } from "../../../contracts/gitops/repository.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { runWithConsent } from "../../run-with-consent.ts";
import { printable } from "../../terminal.ts";
import { counted, onLine } from "./shown-text.ts";

interface Consent {
  readonly yes?: true;
}

const registered = z.object({ repository: repositoryView });
const removed = z.object({ id: z.string(), name: z.string(), released: z.int() });

export async function addRepository(
  context: CliContext,
  input: {
    readonly name: string;
    readonly url: string;
    readonly branch: string;
    readonly path: string;
    readonly credential?: string;
  },
  { yes }: Consent,
): Promise<void> {
  const hub = connectedHub(context);
  const consent = { ...(yes && { yes }) };
  const output = await runWithConsent(context, hub, "system_gitops_register_repository", input, consent);
  if (!output) return;
  const { name, path, branch, url } = registered.parse(output).repository;
  context.terminal.show(
    output,
    () =>
      `${onLine(path)} on ${onLine(branch)} of ${onLine(url)} declares a part of the fleet, as ${onLine(name)}.\n\nnpx countersign gitops sync ${onLine(name)}`,
  );
}

export async function removeRepository(context: CliContext, repository: string, { yes }: Consent): Promise<void> {
  const hub = connectedHub(context);
  const consent = { ...(yes && { yes }) };
  const output = await runWithConsent(context, hub, "system_gitops_remove_repository", { repository }, consent);
  if (!output) return;
  const { name, released } = removed.parse(output);
  context.terminal.show(
    output,
    () => `${onLine(name)} is removed. ${counted(released, "fleet object")} it owned: there still, and nobody's.`,
  );
}

export async function rejectProposal(context: CliContext, proposalId: string, reason: string): Promise<void> {
  const input = { proposalId, reason };
  const { output, summary } = await connectedHub(context).done("system_gitops_reject_proposal", input);
  context.terminal.show(output, () => printable(summary));
}
