import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { printable, type Terminal } from "../terminal.ts";
import { checkAccess } from "./doctor/check-access.ts";
import type { Finding } from "./doctor/finding.ts";

export function doctorCommand(context: CliContext): Command {
  return new Command("doctor")
    .description("look for what keeps the hub from working; print the command that mends each (exit code 1)")
    .addHelpText(
      "after",
      `
Node, git, disk, folders and who can read them, port; the database's version,
roles, migrations and clock; the root key, and whether the account's keys open with
it; your own token. Changes nothing. Opens the database itself, beside a running hub or without.`,
    )
    .action(async () => {
      const { terminal, config, secrets, folder } = context;
      const { examine } = await import("./doctor/examine.ts");
      const findings = [...(await examine(config, secrets)), checkAccess(folder, secrets.token !== undefined)];
      const ok = findings.every(({ state }) => state !== "broken");
      if (!ok) context.exitCode = EXIT.failed;
      terminal.show({ ok, findings }, () => inWords(terminal, findings));
    });
}

const MARKS = {
  sound: { style: "green", word: "ok  " },
  broken: { style: "red", word: "MEND" },
  unknown: { style: "dim", word: "?   " },
} as const;

function inWords(terminal: Terminal, findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, state, says, mend = [] }) => [
    `${terminal.style(MARKS[state].style, MARKS[state].word)}  ${check.padEnd(width)}  ${printable(says)}`,
    ...mend.map((command) => `${" ".repeat(width + 8)}${terminal.style("cyan", printable(command))}`),
  ]);
  const problems = findings.filter(({ state }) => state === "broken").length;
  const verdict =
    problems === 0 ? "Nothing to mend." : `To mend: ${problems}. Run what stands below each, then look again.`;
  return [...lines, "", verdict].join("\n");
}
