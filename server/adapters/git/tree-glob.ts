/** The globs of an `include`: from the root of the tree, with `*`, `**`, `?`, `[...]` and `{a,b}`. */
import { matchesGlob } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { HubError } from "../../errors.ts";

const LONGEST = 500;
const MOST_GLOBS = 100;
const MOST_ALTERNATIVES = 64;
/** Wildcards that one name between slashes may have: matching costs the length of the name for each. */
const MOST_STARS = 2;
const MOST_GLOBSTARS = 2;
/** Comparisons of a path with a glob, about six seconds' worth. */
const MOST_COMPARISONS = 1_000_000;
const BREATH = 5000;

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

/** Paths, of `paths`, that a glob matches. */
export async function matching(globs: readonly Glob[], paths: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  let comparisons = 0;
  for (const glob of globs) {
    for (const path of paths) {
      if (glob.isPath ? path !== glob.text : !path.startsWith(glob.start)) continue;
      if (!glob.isPath) {
        if (++comparisons > MOST_COMPARISONS) {
          throw new HubError(
            "GIT_TOO_LARGE",
            "The include globs stand for too many comparisons; name folders in them.",
          );
        }
        if (comparisons % BREATH === 0) await breathe();
        if (path.length > 2 * LONGEST || !matchesGlob(path, glob.text)) continue;
      }
      found.add(path);
    }
  }
  return found;
}

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
