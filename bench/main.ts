/** `npm run bench [-- frame|doors|gitops|keys] [--quick]`: prints a table to paste into docs/PERFORMANCE.md. */
import { doors } from "./doors.ts";
import { frame } from "./frame.ts";
import { gitops } from "./gitops.ts";
import { keys } from "./keys.ts";
import { type Row, report } from "./report.ts";

const AREAS: Readonly<Record<string, (options: { quick: boolean }) => Promise<Row[]>>> = {
  frame,
  doors,
  gitops,
  keys,
};

const names = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const quick = process.argv.includes("--quick");
for (const name of names.length ? names : Object.keys(AREAS)) {
  const area = AREAS[name];
  if (!area) throw new TypeError(`no benchmark called ${name}; there are: ${Object.keys(AREAS).join(", ")}`);
  process.stdout.write(`## ${name}\n\n${report(await area({ quick }), new Date())}\n`);
}
