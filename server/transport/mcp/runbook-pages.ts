import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { RUNBOOK_NAME, readRunbookHead } from "../../../contracts/runbooks/runbook-head.ts";
import { MARKDOWN, uriOf } from "./hub-resources.ts";

/** The runbooks that come with this hub, as a client may read them: they are run by the command line. */
const ROOT = "runbooks";
const FOLDER = fileURLToPath(new URL("../../../runbooks", import.meta.url));

export const RUNBOOK_PATH = `${ROOT}/{name}`;

export const RUNBOOK_TEMPLATE = {
  uriTemplate: uriOf(RUNBOOK_PATH),
  name: "runbook",
  title: "Runbook",
  description: "An operators' procedure by its name: what it is for, its steps, the tools that they call.",
  mimeType: MARKDOWN,
};

interface RunbookPage {
  readonly name: string;
  readonly title: string;
  readonly purpose: string;
  readonly text: string;
}

let pages: readonly RunbookPage[] | undefined;

/** They are part of the program: read once, sorted by name. */
function runbookPages(): readonly RunbookPage[] {
  pages ??= globSync("*.md", { cwd: FOLDER })
    .map((file) => basename(file, ".md"))
    .filter((name) => RUNBOOK_NAME.test(name))
    .sort()
    .flatMap((name) => {
      const text = readFileSync(join(FOLDER, `${name}.md`), "utf8");
      const head = readRunbookHead(text);
      return head ? [{ name, title: head.title, purpose: head.purpose, text }] : [];
    });
  return pages;
}

export const runbookResources = () =>
  runbookPages().map(({ name, title, purpose }) => ({
    uri: uriOf(`${ROOT}/${name}`),
    name: `${ROOT}/${name}`,
    title: `Runbook: ${title}`,
    description: purpose,
    mimeType: MARKDOWN,
  }));

export function isRunbook(path: string): boolean {
  return path.startsWith(`${ROOT}/`);
}

/** Their names, for completion. */
export const runbookPageNames = (): string[] => runbookPages().map(({ name }) => name);

/** Markdown as it is in the file, with how it is run; undefined where there is no such runbook. */
export function runbookPage(path: string): string | undefined {
  const page = runbookPages().find(({ name }) => path === `${ROOT}/${name}`);
  if (!page) return undefined;
  return `${page.text}\n---\n\nA person runs it: \`npx countersign runbook run ${page.name}\`, with \`--dry-run\` to see what it would do, with \`--drill\` to try it out.\n`;
}
