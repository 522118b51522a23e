import { readFileSync } from "node:fs";
import { Command } from "commander";
import { HubError } from "../../server/errors.ts";
import { type CliContext, connectedHub, OPERATOR } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { printable, printableJson } from "../terminal.ts";

export function callCommand(context: CliContext): Command {
  return new Command("call")
    .description("call an action by its tool name; a call that people must agree to ends with exit code 4")
    .argument("<tool>", "e.g. system_fleet_list_objects")
    .argument("[input]", "its input, as JSON")
    .option("-f, --file <file>", "read the input from a file; - is standard input")
    .option("--json [input]", "the input as JSON; answers as JSON")
    .option("--as <name>", "the token to use, by its name in the config folder", OPERATOR)
    .option("--key <key>", "idempotency key: the same key never has two effects")
    .action(
      async (
        tool: string,
        inline: string | undefined,
        options: { file?: string; json?: string | true; as: string; key?: string },
      ) => {
        const { terminal } = context;
        if (options.json) terminal.json = true;
        const given = inline ?? (typeof options.json === "string" ? options.json : undefined);
        const input = parseInput(given, options.file);
        const result = await connectedHub(context, options.as).call(tool, input, options.key);
        if (result.status === "done")
          return terminal.show(
            result,
            () => `${printable(result.summary)}\n\n${printableJson(result.output, 2)}\n\nreceipt ${result.receipt.id}`,
          );
        context.exitCode = EXIT.pending;
        const { requestId, needs, headline } = result.approval;
        terminal.show(
          result,
          () => `Waits for ${needs}: ${printable(headline)}\n\nnpx countersign approve ${requestId}`,
        );
      },
    );
}

export function parseInput(inline: string | undefined, file: string | undefined): unknown {
  if (inline !== undefined && file !== undefined)
    throw new HubError("INPUT_INVALID", "Give the input once: inline, or by -f.");
  const text = file === undefined ? (inline ?? "{}") : readInput(file);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HubError("INPUT_INVALID", `The input is not JSON: ${(cause as Error).message}`, { cause });
  }
}

export function readInput(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (cause) {
    throw new HubError("INPUT_INVALID", `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
