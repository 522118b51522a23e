import { Command } from "commander";
import * as z from "zod";
import { principalShape, tokenShape } from "../../contracts/identity/principal.ts";
import { pageOf } from "../../contracts/page.ts";
import { claimSecret } from "../claim-secret.ts";
import { type CliContext, connectedHub } from "../context.ts";
import { runWithConsent } from "../run-with-consent.ts";
import { printable, table } from "../terminal.ts";

const listed = pageOf(z.looseObject({ ...principalShape.shape, tokens: z.array(tokenShape).optional() }).omit({}));
const granted = z.object({ claimId: z.string(), expiresAt: z.string().optional() });

export function tokensCommand(context: CliContext): Command {
  const command = new Command("tokens").description("tokens of this account: list, issue, claim, revoke");
  command
    .command("list", { isDefault: true })
    .description("principals and their tokens; secrets are not kept anywhere")
    .action(async () => {
      const page = await connectedHub(context).output(listed, "system_identity_list_principals", { limit: 200 });
      context.terminal.show(page, () =>
        table([
          ["kind", "name", "principal", "token", "", "for"],
          ...page.items.flatMap((p) =>
            (p.tokens?.length ? p.tokens : [undefined]).map((t) => [
              p.kind,
              p.name,
              p.id,
              t?.id ?? "(no token)",
              t ? `until ${t.expiresAt}` : "",
              t?.note ?? "",
            ]),
          ),
        ]),
      );
    });
  command
    .command("issue <principalId>")
    .description("grant a token to a principal, then fetch it")
    .option("--note <text>", "what it is for", "made on the command line")
    .option("--days <n>", "how long it works", "90")
    .option("--save <name>", "keep it in the config folder under this name instead of printing it")
    .option("-y, --yes", "sign without asking, where your own signature is enough")
    .action(async (principalId: string, options: { note: string; days: string; save?: string; yes?: true }) => {
      const hub = connectedHub(context);
      const output = await runWithConsent(
        context,
        hub,
        "system_identity_issue_token",
        { principalId, note: options.note, validDays: Number(options.days) },
        options,
      );
      if (output) await fetchToken(context, granted.parse(output).claimId, options.save);
    });
  command
    .command("claim <claimId>")
    .description("fetch a granted token or invitation code, once")
    .option("--save <name>", "keep a token in the config folder under this name instead of printing it")
    .action((claimId: string, options: { save?: string }) => fetchToken(context, claimId, options.save));
  command
    .command("revoke <tokenId>")
    .description("end a token, at once")
    .action(async (tokenId: string) => {
      const { output, summary } = await connectedHub(context).done("system_identity_revoke_token", { tokenId });
      context.terminal.show(output, () => printable(summary));
    });
  return command;
}

async function fetchToken(context: CliContext, claimId: string, save: string | undefined): Promise<void> {
  const { secret, ...rest } = await claimSecret(connectedHub(context), claimId);
  if (save === undefined) return context.terminal.show({ ...rest, secret }, () => secret);
  context.folder.saveToken(save, secret);
  context.terminal.show(
    { ...rest, saved: save },
    () =>
      `Kept as "${save}" in ${context.folder.path}. Use it: npx countersign call --as ${save} system_identity_whoami`,
  );
}
