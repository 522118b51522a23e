import { isUtf8 } from "node:buffer";
import type { GitFile } from "../../domain/gitops/git-mirror.ts";
import { HubError } from "../../errors.ts";
import { GitFailure, type GitPlace, readObjects } from "./run-git.ts";
import { checkTreePath, type Glob, matching, readGlobs } from "./tree-glob.ts";
import { listTree, type TreeEntry } from "./tree-listing.ts";

const MB = 1024 * 1024;
export const LARGEST_FILE = 4 * MB;
export const MOST_BYTES = 32 * MB;
export const MOST_DECLARED = 1000;

/** One file of a commit and what it includes; as GitMirror.readFiles has it. */
export async function readDeclaredFiles(
  place: GitPlace,
  commit: string,
  path: string,
  includes: (text: string) => readonly string[] | Promise<readonly string[]>,
): Promise<readonly GitFile[]> {
  checkTreePath(path);
  const entries = await listTree(place, commit);
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const named = fileAt(path, byPath);
  const [first] = await readTexts(place, [named]);
  if (first === undefined) throw new Error("a file that was asked for was not read");
  const globs = readGlobs(await includes(first.text));
  for (const glob of globs) refuseStart(glob, byPath);
  const found = await matching(globs, [...byPath.keys()], { signal: place.signal });
  found.delete(path);
  const included = [...found].sort().map((match) => fileAt(match, byPath));
  return [first, ...(await readTexts(place, included, named.size))];
}

/** @throws HubError GIT_PATH_MISSING, GIT_TREE_REFUSED */
function fileAt(path: string, byPath: ReadonlyMap<string, TreeEntry>): TreeEntry {
  checkTreePath(path);
  const entry = byPath.get(path);
  if (entry?.kind === "file") return entry;
  if (entry) throw inTheWay(entry);
  refuseInTheWay(path, byPath);
  const isFolder = [...byPath.keys()].some((other) => other.startsWith(`${path}/`));
  const sentence = isFolder ? `${path} is a folder, not a file.` : `The commit has no file ${path}.`;
  throw new HubError("GIT_PATH_MISSING", sentence, { details: { path } });
}

/** A glob whose beginning is certain says where it leads: a link there is refused, a file that is not there missed. */
function refuseStart(glob: Glob, byPath: ReadonlyMap<string, TreeEntry>): void {
  if (glob.isPath) fileAt(glob.text, byPath);
  else refuseInTheWay(glob.start, byPath);
}

function refuseInTheWay(path: string, byPath: ReadonlyMap<string, TreeEntry>): void {
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
    const entry = byPath.get(path.slice(0, at));
    if (entry && entry.kind !== "file") throw inTheWay(entry);
  }
}

function inTheWay({ path, kind }: TreeEntry): HubError {
  const what = kind === "link" ? "a symbolic link" : "a submodule";
  return new HubError("GIT_TREE_REFUSED", `${path} is ${what}, which is not followed.`, { details: { path } });
}

/** @param before bytes that were read already and count */
async function readTexts(place: GitPlace, entries: readonly TreeEntry[], before = 0): Promise<GitFile[]> {
  if (entries.length >= MOST_DECLARED) throw tooLarge(`More than ${MOST_DECLARED} files are included.`);
  for (const { path, size } of entries) {
    if (size > LARGEST_FILE) throw tooLarge(`${path} is larger than ${LARGEST_FILE / MB} MB.`);
  }
  const bytes = entries.reduce((sum, { size }) => sum + size, before);
  if (bytes > MOST_BYTES) throw tooLarge(`The files together are larger than ${MOST_BYTES / MB} MB.`);
  if (entries.length === 0) return [];
  const ids = [...new Map(entries.map(({ id, size }) => [id, size]))];
  const headers = ids.length * 200;
  const answer = await readObjects(
    place,
    ids.map(([id]) => id),
    bytes + headers,
  );
  const contents = contentsOf(answer, ids);
  return entries.map(({ path, id }) => ({ path, text: decode(path, contents.get(id)) }));
}

/** `<id> blob <size>`, a newline, the bytes, a newline, for each. */
function contentsOf(answer: Buffer, ids: readonly (readonly [id: string, size: number])[]): Map<string, Buffer> {
  const contents = new Map<string, Buffer>();
  let at = 0;
  for (const [id, size] of ids) {
    const header = `${id} blob ${size}\n`;
    const start = at + header.length;
    if (answer.toString("latin1", at, start) !== header || answer.length < start + size) {
      throw new GitFailure(0, `the object ${id} is missing or another one`);
    }
    contents.set(id, answer.subarray(start, start + size));
    at = start + size + 1;
  }
  return contents;
}

function decode(path: string, bytes: Buffer | undefined): string {
  if (bytes === undefined) throw new Error("an object that was asked for was not read");
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes);
  const { line, column } = placeOfFault(bytes);
  const message = "is no UTF-8";
  throw new HubError("DESIRED_STATE_INVALID", `${path}:${line}:${column} ${message}.`, {
    details: { problems: [{ file: path, line, column, path: "", message }] },
  });
}

/** Of the first line that is no UTF-8, and the first character in it that was replaced. */
function placeOfFault(bytes: Buffer): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(10, start);
    const part = bytes.subarray(start, end === -1 ? bytes.length : end);
    if (!isUtf8(part) || end === -1) return { line, column: Math.max(1, part.toString().indexOf("\ufffd") + 1) };
    line++;
    start = end + 1;
  }
}

function tooLarge(sentence: string): HubError {
  return new HubError("GIT_TOO_LARGE", sentence);
}
