import { globSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { RUNBOOK_NAME } from "../../contracts/runbooks/runbook-head.ts";
import { HubError } from "../../server/errors.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = join(ROOT, "runbooks");
const ENDING = ".md";

export interface RunbookFile {
  /** As it is asked for. */
  readonly called: string;
  readonly name: string;
  /** As messages name it. */
  readonly file: string;
  readonly text: string;
}

/** The names of those that come with this program, sorted. */
export function runbookNames(): string[] {
  return globSync(`*${ENDING}`, { cwd: FOLDER })
    .map((file) => basename(file, ENDING))
    .filter((name) => RUNBOOK_NAME.test(name))
    .sort();
}

/** One that comes with this program, by its name; or one's own, by its path. Throws NOT_FOUND. */
export function findRunbook(which: string): RunbookFile {
  if (which.endsWith(ENDING))
    return { called: which, name: basename(which, ENDING), file: which, text: textOf(which, which) };
  if (!runbookNames().includes(which))
    throw new HubError(
      "NOT_FOUND",
      `There is no runbook "${which}". There are: ${runbookNames().join(", ")}; one of your own is named by its path (./my.md).`,
    );
  const path = join(FOLDER, `${which}${ENDING}`);
  return { called: which, name: which, file: relative(ROOT, path), text: textOf(path, which) };
}

function textOf(path: string, which: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new HubError("NOT_FOUND", `${which} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
