import { Command } from "commander";
import * as z from "zod";
import { HubError } from "../../server/errors.ts";
import { type CliContext, connectedHub } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { runWithConsent } from "../run-with-consent.ts";
import { printable, printableJson } from "../terminal.ts";
import { parseInput, readInput } from "./call.ts";

const shown = z.object({ version: z.int(), hash: z.string(), document: z.unknown(), createdAt: z.string() });
const linted = z.object({
  ok: z.boolean(),
  hash: z.string().optional(),
  problems: z.array(z.looseObject({ words: z.string() })),
});
const simulated = z.looseObject({
  outcome: z.string(),
  words: z.string(),
  code: z.string().optional(),
  policies: z.array(z.object({ id: z.string(), why: z.string() })),
});

export function policyCommand(context: CliContext): Command {
  const { terminal } = context;
  const command = new Command("policy").description("the account's policy document");
  command
    .command("show", { isDefault: true })
    .description("the document in force, ready to edit")
    .option("--at <version>", "an older version")
    .action(async ({ at }: { at?: string }) => {
      const policy = await connectedHub(context).output(
        shown,
        "system_policy_get",
        at === undefined ? {} : { version: Number(at) },
      );
      terminal.note(`version ${policy.version}, hash ${policy.hash}, since ${policy.createdAt}`);
      terminal.show(policy, () => printableJson(policy.document, 2));
    });
  command
    .command("lint <file>")
    .description("check a document as strictly as putting it in force would (exit code 6 where it has problems)")
    .action(async (file: string) => {
      const lint = await connectedHub(context).output(linted, "system_policy_lint", {
        document: parseInput(readInput(file), undefined),
      });
      if (!lint.ok) context.exitCode = EXIT.unverified;
      terminal.show(lint, () =>
        lint.ok
          ? `${file} is valid, hash ${lint.hash}`
          : lint.problems.map((p) => `${file}: ${printable(p.words)}`).join("\n"),
      );
    });
  command
    .command("simulate <action> [input]")
    .description("would this call be allowed, need approval, and why; nothing runs")
    .option("--as <principalId>", "as another principal")
    .option("--document <file>", "by this document instead of the one in force")
    .action(async (action: string, input: string | undefined, options: { as?: string; document?: string }) => {
      const question = {
        action,
        input: parseInput(input, undefined),
        ...(options.as !== undefined && { as: options.as }),
        ...(options.document !== undefined && { document: parseInput(readInput(options.document), undefined) }),
      };
      const answer = await connectedHub(context).output(simulated, "system_policy_simulate", question);
      const why = answer.policies.map((p) => `  ${p.id}: ${printable(p.why)}`);
      if (answer.outcome === "refused") context.exitCode = EXIT.refused;
      if (answer.outcome.startsWith("needs-")) context.exitCode = EXIT.pending;
      terminal.show(answer, () =>
        [`${answer.outcome}${answer.code ? ` (${answer.code})` : ""}: ${printable(answer.words)}`, ...why].join("\n"),
      );
    });
  command
    .command("put <file>")
    .description("ask to put a document in force; two people must approve")
    .requiredOption("--base <version>", "the version that you changed", Number)
    .option("-y, --yes", "sign without asking, where your own signature is enough")
    .action(async (file: string, options: { base: number; yes?: true }) => {
      if (!Number.isInteger(options.base))
        throw new HubError("INPUT_INVALID", "--base is a version number.", { path: "base" });
      const input = { document: parseInput(readInput(file), undefined), baseVersion: options.base };
      const output = await runWithConsent(context, connectedHub(context), "system_policy_put", input, options);
      if (output) terminal.show(output, () => `Version ${String(output["version"])} is in force.`);
    });
  return command;
}
