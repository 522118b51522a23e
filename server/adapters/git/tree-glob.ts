/** The globs of an `include`: from the root of the tree, with `*`, `**`, `?`, `[...]` and `{a,b}`. */
import { matchesGlob } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { HubError } from "../../errors.ts";

const LONGEST = 500;
const MOST_GLOBS = 100;
const MOST_ALTERNATIVES = 16;
/** Wildcards that one name between slashes may have: matching costs the length of the name for each. */
const MOST_STARS = 2;
const MOST_GLOBSTARS = 2;
/** Of one name between slashes, as file systems have it. */
const LONGEST_NAME = 255;
/** All comparisons of paths with globs together; a single one of the longest takes some 20 ms. */
const MOST_MS = 5_000;
/** After so long other work gets its turn. */
const BREATH_MS = 20;

const WILDCARD = /[*?[\]{}]/;

export interface Glob {
  readonly text: string;
  /** Whole names before the first wildcard, with a slash at the end; the path itself where there is no wildcard. */
  readonly start: string;
  readonly isPath: boolean;
}

/**
 * @throws HubError GIT_TREE_REFUSED where a glob leaves the tree or is no path in it; DESIRED_STATE_INVALID where it is too
 *   involved to be matched in bounded time
 */
export function readGlobs(texts: readonly string[]): Glob[] {
  if (texts.length > MOST_GLOBS) throw involved(`There are more than ${MOST_GLOBS} globs`, "");
  return texts.map(readGlob);
}

function readGlob(text: string): Glob {
  checkTreePath(text);
  if (text.length > LONGEST) throw involved(`A glob is longer than ${LONGEST} characters`, text);
  // what extended globs write, and what a glob begins with to mean something else
  if (/[()|]|^[!#]|\{[^}]*\.\./.test(text))
    throw involved("A glob has other signs than *, **, ?, [...] and {a,b}", text);
  const names = text.split("/");
  const stars = (name: string) => name.split("*").length - 1;
  if (
    names.filter((name) => name === "**").length > MOST_GLOBSTARS ||
    names.some((name) => name !== "**" && stars(name) > MOST_STARS) ||
    alternatives(text) > MOST_ALTERNATIVES
  ) {
    throw involved("A glob has too many wildcards", text);
  }
  const first = names.findIndex((name) => WILDCARD.test(name));
  if (first === -1) return { text, start: text, isPath: true };
  // braces may hold slashes, so that a name ends inside of them: what comes before the first sign is what is certain
  return {
    text,
    start: names
      .slice(0, first)
      .map((name) => `${name}/`)
      .join(""),
    isPath: false,
  };
}

/** Paths, of `paths`, that a glob matches. Gives way to other work, and gives up with GIT_TOO_LARGE or the signal. */
export async function matching(
  globs: readonly Glob[],
  paths: readonly string[],
  { signal, mostMs = MOST_MS }: { readonly signal?: AbortSignal; readonly mostMs?: number } = {},
): Promise<Set<string>> {
  const found = new Set<string>();
  const comparable = paths.filter((path) => path.length <= 2 * LONGEST && path.split("/").every(isShortName));
  const began = performance.now();
  let breath = began;
  for (const glob of globs) {
    if (glob.isPath) {
      if (paths.includes(glob.text)) found.add(glob.text);
      continue;
    }
    for (const path of comparable) {
      if (!path.startsWith(glob.start)) continue;
      const now = performance.now();
      if (now - began > mostMs)
        throw new HubError("GIT_TOO_LARGE", "The include globs take too long to compare; name folders in them.");
      if (now - breath > BREATH_MS) {
        await breathe();
        signal?.throwIfAborted();
        breath = performance.now();
      }
      if (matchesGlob(path, glob.text)) found.add(path);
    }
  }
  return found;
}

const isShortName = (name: string): boolean => name.length <= LONGEST_NAME;

/**
 * A path or glob from the root of the tree.
 * @throws HubError GIT_TREE_REFUSED
 */
export function checkTreePath(path: string): void {
  const names = path.split("/");
  const reason =
    path === ""
      ? "is empty"
      : path.startsWith("/")
        ? "begins with a slash; paths begin at the root of the tree"
        : /[\\\p{Cc}\ufffd]/u.test(path)
          ? "holds a backslash, a control character or what is no UTF-8"
          : names.some((name) => name === "" || name === "." || name === "..")
            ? "has no name, a dot or two dots between slashes, and might leave the tree"
            : names.some((name) => name.toLowerCase() === ".git")
              ? "leads into .git"
              : undefined;
  if (reason === undefined) return;
  throw new HubError("GIT_TREE_REFUSED", `The path ${JSON.stringify(path.slice(0, 200))} ${reason}.`, {
    details: { path: path.slice(0, 200) },
  });
}

/** At most as many patterns as the braces stand for. */
function alternatives(text: string): number {
  let product = 1;
  for (const [group] of text.matchAll(/\{[^{}]*\}/g)) product *= group.split(",").length;
  // nested ones multiply in ways that nobody needs
  return /\{[^}]*\{/.test(text) ? Number.POSITIVE_INFINITY : product;
}

function involved(fault: string, glob: string): HubError {
  const which = glob === "" ? "" : `: ${JSON.stringify(glob.slice(0, 200))}`;
  return new HubError("DESIRED_STATE_INVALID", `${fault}${which}.`);
}
