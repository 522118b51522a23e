/** The reference of the command line, from what each command says with --help. */
import type { Command } from "commander";
import { CliFolder } from "../../cli/cli-folder.ts";
import { EXIT } from "../../cli/exit-codes.ts";
import { program } from "../../cli/program.ts";
import { openTerminal } from "../../cli/terminal.ts";
import { configFrom } from "../../server/config/config.ts";
import { readEnv } from "../../server/config/env.ts";
import type { Generator } from "./generator.ts";

const PAGE = "docs/COMMAND_LINE.md";
const WIDTH = 80;

const INTRODUCTION = `<!-- Written by \`npm run gen\` from cli/. -->
# The command line

\`npx countersign <command>\`, in the project's folder. It speaks to the running hub over HTTP and holds no logic of its
own; \`start\`, \`stdio\`, \`journal verify\`, \`doctor\`, \`recover\` and \`demo\` alone open a hub or its database.

Results go to standard output, everything else (previews, questions, progress, errors) to standard error. With \`--json\`
a command prints exactly one JSON document: its result, or \`{ "error": { code, message, path, details } }\`. Where nobody
sits at a terminal, nothing is asked and what would need a yes is not done: \`--yes\` says it beforehand.

## Whose keys and tokens

The config folder (\`$XDG_CONFIG_HOME/countersign/cli\`, or \`cli/\` in \`COUNTERSIGN_CONFIG_DIR\`) makes you who you are.
The folder is 0700, the files 0600; a file that others can read is refused.

| File | What it is |
|---|---|
| \`hub.json\` | where the hub is, the account, and the account's root key as it was pinned when you made or joined it |
| \`signing-key.pem\` | your signing key (Ed25519, PKCS #8), which never leaves this folder; the hub knows its public half |
| \`operator.token\` | what you call the hub with |
| \`agent.token\` | what \`countersign stdio\` presents for your agent; \`--as <name>\` takes another \`<name>.token\` |

\`COUNTERSIGN_URL\` and \`COUNTERSIGN_TOKEN\` stand in for the hub and the token of the folder.

## Commands`;

export const generator: Generator = {
  files: [PAGE],
  generate: async () => new Map([[PAGE, page()]]),
};

function page(): string {
  const config = configFrom(readEnv({ HOME: "/home/you" }));
  const root = program({
    terminal: openTerminal({ colours: false }),
    config,
    secrets: { databaseUrl: undefined, migrationUrl: undefined, token: undefined },
    folder: new CliFolder(config.folders.cli),
    exitCode: EXIT.ok,
  });
  const sections = everyCommand(root, []).map(({ path, command }) => {
    const heading = path.length === 0 ? "" : `\n${"#".repeat(path.length + 2)} ${path.join(" ")}\n`;
    return `${heading}\n\`\`\`text\n${helpOf(command)}\n\`\`\``;
  });
  return `${INTRODUCTION}\n${sections.join("\n")}\n`;
}

function everyCommand(command: Command, path: readonly string[]): { path: readonly string[]; command: Command }[] {
  const below = command.commands.flatMap((sub) => everyCommand(sub, [...path, sub.name()]));
  return [{ path, command }, ...below];
}

function helpOf(command: Command): string {
  let text = "";
  command.configureHelp({ helpWidth: WIDTH });
  command.configureOutput({ writeOut: (part) => (text += part), getOutHasColors: () => false });
  command.outputHelp();
  return text.trim();
}
