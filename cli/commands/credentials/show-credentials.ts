import * as z from "zod";
import { type CredentialView, credentialView } from "../../../contracts/credentials/credential.ts";
import { pageOf } from "../../../contracts/page.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { printable, table } from "../../terminal.ts";

const one = z.object({ credential: credentialView });
const trial = z.object({
  name: z.string(),
  version: z.int(),
  tried: z
    .object({ host: z.string(), accepted: z.boolean(), code: z.string().nullable(), words: z.string() })
    .nullable(),
});

export async function listCredentials(context: CliContext): Promise<void> {
  const hub = connectedHub(context);
  const items: CredentialView[] = [];
  for (let cursor: string | undefined; ; ) {
    const input = { limit: 200, ...(cursor !== undefined && { cursor }) };
    const page = await hub.output(pageOf(credentialView), "system_credentials_list", input);
    items.push(...page.items);
    cursor = page.next;
    if (cursor === undefined) break;
  }
  context.terminal.show({ items }, () =>
    items.length > 0
      ? table([
          ["credential", "kind", "state", "may be sent to", "may be used by", "used by"],
          ...items.map((c) => [
            c.name,
            c.kind,
            c.state,
            c.allowedHosts.join(", "),
            c.consumers.join(", "),
            c.usedBy.join(", "),
          ]),
        ])
      : "No credential is stored. Keep one: npx countersign credentials store <name> --kind <kind> --host <host>",
  );
}

export async function showCredential(context: CliContext, name: string): Promise<void> {
  const output = await connectedHub(context).output(one, "system_credentials_get_metadata", { name });
  const { credential: c } = output;
  context.terminal.show(output, () => {
    const rows = [
      ["credential", c.name],
      ["kind", c.username === null ? c.kind : `${c.kind}, user ${c.username}`],
      ["for", c.description],
      ["state", c.state],
      ["may be sent to", c.allowedHosts.join(", ")],
      ["may be used by", c.consumers.join(", ")],
      ["used by", c.usedBy.join(", ") || "nothing"],
      ["expires", c.expiresAt ?? "never"],
      ["due", c.rotateEveryDays === null ? "never" : `${c.rotateEveryDays} days after it was given`],
      ["secret given", c.providedAt ?? "not yet"],
      ["last used", c.lastUsedAt ?? "never"],
      ["version", `${c.version}, secret number ${c.materialVersion}`],
    ];
    return [table(rows), ...next(c).map((line) => `\n${context.terminal.style("cyan", line)}`)].join("\n");
  });
}

function next({ name, state }: CredentialView): string[] {
  if (state === "waiting") return [`npx countersign credentials provide ${printable(name)}`];
  return state === "rotation due" ? [`npx countersign credentials rotate ${printable(name)}`] : [];
}

export async function testCredential(context: CliContext, name: string, url: string | undefined): Promise<void> {
  const input = { name, ...(url !== undefined && { url }) };
  const { output, summary } = await connectedHub(context).done("system_credentials_test", input);
  if (trial.parse(output).tried?.accepted === false) context.exitCode = EXIT.failed;
  context.terminal.show(output, () => printable(summary));
}
