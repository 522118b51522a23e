import * as z from "zod";
import { publicKeyFromPem } from "../../../contracts/formats/ed25519.ts";
import { HubError } from "../../../server/errors.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { printable, type Terminal } from "../../terminal.ts";
import { whoami } from "../../whoami.ts";

const verdictShape = z.object({
  ok: z.boolean(),
  profile: z.enum(["solo", "team"]),
  lanes: z.int(),
  receipts: z.int(),
  firstBad: z
    .object({ epoch: z.int(), sequence: z.int().optional(), receiptId: z.string().optional(), reason: z.string() })
    .optional(),
  limits: z.array(z.string()).readonly(),
});
type Verdict = z.output<typeof verdictShape> & { readonly accountId: string };

/** Prints a verdict an account; exit code 6 unless all hold. */
export async function verifyJournals(context: CliContext, options: { remote?: true }): Promise<void> {
  const { terminal } = context;
  const accounts = options.remote ? [await askHub(context)] : await walkHere(context);
  const ok = accounts.every((verdict) => verdict.ok);
  if (!ok) context.exitCode = EXIT.unverified;
  terminal.show({ ok, accounts }, () => accounts.map((verdict) => inWords(terminal, verdict)).join("\n\n"));
}

async function askHub(context: CliContext): Promise<Verdict> {
  const hub = connectedHub(context);
  const { account } = await whoami(hub);
  return { accountId: account.id, ...(await hub.output(verdictShape, "system_journal_verify")) };
}

async function walkHere({ config, secrets, folder, terminal }: CliContext): Promise<Verdict[]> {
  const { openJournals } = await import("./open-journals.ts");
  await using journals = await openJournals(config, secrets);
  const known = folder.hub();
  if (known && !journals.accounts.includes(known.accountId))
    throw new HubError(
      "PROOF_INVALID",
      `The account of ${folder.path} (${known.accountId}) is not in this database: either it is another hub's, or its whole journal is gone.`,
    );
  const verdicts: Verdict[] = [];
  for (const accountId of journals.accounts) {
    const pinned = known?.accountId === accountId && known.rootKey ? publicKeyFromPem(known.rootKey) : undefined;
    const onReceipts = (count: number) => terminal.progress(`account ${accountId}: ${count} receipts`);
    verdicts.push({ accountId, ...(await journals.verify(accountId, pinned, onReceipts)) });
  }
  terminal.progress("");
  if (verdicts.length === 0) throw new HubError("NOT_FOUND", "This database has no account yet, and so no journal.");
  return verdicts;
}

function inWords(terminal: Terminal, { accountId, ok, profile, lanes, receipts, firstBad, limits }: Verdict): string {
  const bad = firstBad && [
    terminal.style("red", "The journal does NOT hold. The first bad entry:"),
    `  epoch ${firstBad.epoch}${firstBad.sequence === undefined ? "" : `, entry ${firstBad.sequence}`}${firstBad.receiptId === undefined ? "" : `, receipt ${printable(firstBad.receiptId)}`}`,
    `  ${printable(firstBad.reason)}`,
  ];
  const good = `${terminal.style("green", "The journal holds.")} ${counted(receipts, "receipt")} in ${counted(lanes, "lane")}.`;
  const notes = limits.map((limit) => `  - ${limit}`);
  return [
    `account ${accountId}, profile ${profile}`,
    ...(ok ? [good] : (bad ?? ["The journal does NOT hold."])),
    ...(notes.length > 0 ? [terminal.style("dim", "This walk cannot show everything:"), ...notes] : []),
  ].join("\n");
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
