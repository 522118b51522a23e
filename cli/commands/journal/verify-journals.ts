import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { publicKeyFromPem } from "../../../contracts/formats/ed25519.ts";
import type { Config, Secrets } from "../../../server/config/config.ts";
import { HubError } from "../../../server/errors.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { printable, type Terminal } from "../../terminal.ts";

const verdict = z.object({
  ok: z.boolean(),
  profile: z.enum(["solo", "team"]),
  lanes: z.int(),
  receipts: z.int(),
  firstBad: z
    .object({
      epoch: z.int(),
      sequence: z.int().optional(),
      receiptId: z.string().optional(),
      reason: z.string(),
    })
    .optional(),
  limits: z.array(z.string()).readonly(),
});
type Verdict = z.output<typeof verdict> & {
  readonly accountId: string;
  /** The root key was known beforehand. */
  readonly pinned: boolean;
};

/** Prints a verdict an account; exit code 6 unless all hold. */
export async function verifyJournals(context: CliContext, options: { remote?: true }): Promise<void> {
  const verdicts = options.remote ? [await askHub(context)] : await walk(context);
  const ok = verdicts.every((v) => v.ok);
  if (!ok) context.exitCode = EXIT.unverified;
  context.terminal.show({ ok, accounts: verdicts }, () => verdicts.map((v) => inWords(context.terminal, v)).join("\n\n"));
}

async function askHub(context: CliContext): Promise<Verdict> {
  const accountId = context.folder.hub()?.accountId ?? "of the token";
  return { ...(await connectedHub(context).output(verdict, "system_journal_verify")), accountId, pinned: true };
}

async function walk({ config, secrets, folder, terminal }: CliContext): Promise<Verdict[]> {
  const known = folder.hub();
  await using journal = await openDatabase(config, secrets);
  const { accounts, hubId, verify } = journal;
  const verdicts: Verdict[] = [];
  for (const accountId of accounts) {
    const pinned = known?.accountId === accountId ? known.rootKey : undefined;
    const found = await verify(accountId, pinned, (receipts) => terminal.progress(`${receipts} receipts`));
    verdicts.push({ ...found, accountId, pinned: pinned !== undefined });
  }
  terminal.progress("");
  if (verdicts.length === 0)
    throw new HubError("NOT_FOUND", `This database has no account yet, and so no journal${hubId ?? ""}.`);
  return verdicts;
}
