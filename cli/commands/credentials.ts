import { Command } from "commander";
import { CREDENTIAL_KINDS } from "../../contracts/credentials/credential-kind.ts";
import type { CliContext } from "../context.ts";
import { naming } from "../option-names.ts";
import { wholeNumber } from "../whole-number.ts";
import {
  changeScope,
  deleteCredential,
  forgetCredential,
  rotateCredential,
  storeCredential,
} from "./credentials/change-credentials.ts";
import { provideSecret } from "./credentials/provide-secret.ts";
import { listCredentials, showCredential, testCredential } from "./credentials/show-credentials.ts";

const YES = ["-y, --yes", "sign without asking, where your own signature is enough"] as const;

/** What the hub calls what is typed here. */
const NAMES = {
  name: "<name>",
  kind: "--kind",
  description: "--description",
  username: "--user",
  allowedHosts: "--host",
  consumers: "--for",
  expiresAt: "--expires",
  rotateEveryDays: "--rotate-every",
  widen: "--widen",
  url: "[url]",
  credentialId: "<id>",
};

interface Yes {
  readonly yes?: true;
}

export function credentialsCommand(context: CliContext): Command {
  const command = new Command("credentials").description(
    "secrets that the hub uses, where they may be sent and by what; never shown",
  );
  command
    .command("list", { isDefault: true })
    .description("what is kept, what waits for its secret, what is due")
    .action(() => listCredentials(context));
  command
    .command("show <name>")
    .description("what is known of one; its secret is shown to nobody")
    .action(naming(NAMES, (name: string) => showCredential(context, name)));
  command
    .command("store <name>")
    .description("keep what a credential is for; a person approves, then gives the secret")
    .requiredOption("--kind <kind>", `one of ${CREDENTIAL_KINDS.join(", ")}`)
    .requiredOption("--host <host...>", "where it may be sent: host, host:port, or *.host for one label")
    .option("--for <consumer...>", "what may use it: <area> or <area>/<name>", ["gitops"])
    .option("--description <text>", "what it is for", "stored on the command line")
    .option("--user <name>", "whose it is; git-https needs it")
    .option("--expires <time>", "from then on it is not used, e.g. 2027-01-31T00:00:00Z")
    .option("--rotate-every <days>", "its secret is due after so many days", wholeNumber("days", 1))
    .option(...YES)
    .action(
      naming(NAMES, (name: string, options: Parameters<typeof storeCredential>[2]) =>
        storeCredential(context, name, options),
      ),
    );
  command
    .command("provide <name>")
    .description("give the secret that it waits for")
    .option("--file <path>", "read it from a file, such as a private key")
    .addHelpText(
      "after",
      `
Asked for without being shown; read from standard input where nobody sits at the
terminal. Never taken as an argument, which others on this machine could read.`,
    )
    .action(naming(NAMES, (name: string, options: { file?: string }) => provideSecret(context, name, options)));
  command
    .command("scope <name>")
    .description("change where it may be sent, by what it may be used, and for how long")
    .option("--host <host...>", "all of them from now on")
    .option("--for <consumer...>", "all of them from now on")
    .option("--expires <time>", "or `never`")
    .option("--rotate-every <days>", "or `never`", (text) => (text === "never" ? text : wholeNumber("days", 1)(text)))
    .option("--widen", "something is added or lasts longer than before; two people agree")
    .option(...YES)
    .action(
      naming(NAMES, (name: string, options: Parameters<typeof changeScope>[2]) => changeScope(context, name, options)),
    );
  command
    .command("rotate <name>")
    .description("let a new secret be given; the present one works until then")
    .option(...YES)
    .action(naming(NAMES, (name: string, options: Yes) => rotateCredential(context, name, options)));
  command
    .command("test <name> [url]")
    .description("open it, and with an address use it there once (exit code 1 where it is not accepted)")
    .action(naming(NAMES, (name: string, url: string | undefined) => testCredential(context, name, url)));
  command
    .command("delete <name>")
    .description("forget it and its secret for ever; a person approves")
    .option(...YES)
    .action(naming(NAMES, (name: string, options: Yes) => deleteCredential(context, name, options)));
  command
    .command("forget <id>")
    .description("give up one that a verification misses; a person approves")
    .option(...YES)
    .action(naming(NAMES, (id: string, options: Yes) => forgetCredential(context, id, options)));
  return command;
}
