import { HubError } from "../../errors.ts";
import { type GitPlace, runGit } from "./run-git.ts";

export interface TreeEntry {
  readonly path: string;
  readonly kind: "file" | "link" | "submodule";
  readonly id: string;
  /** Bytes; 0 for a submodule. */
  readonly size: number;
}

export const MOST_FILES = 100_000;
/** Bytes of the list: names of 300 bytes on average, at the most files. */
const LONGEST_LIST = 40 * 1024 * 1024;
const LINE = /^(\d{6}) (?:blob|commit) ([0-9a-f]{40,64}) +(\d+|-)\t(.+)$/s;

/**
 * Every file of a commit, in the order of Git's trees. A tree can name itself a billion times in a few hundred bytes:
 * the list is ended at the limit, not after it.
 * @throws HubError GIT_TOO_LARGE; GitFailure where an object is missing or broken
 */
export async function listTree(place: GitPlace, commit: string): Promise<TreeEntry[]> {
  let entries = 0;
  const count = (chunk: Buffer) => {
    for (let at = chunk.indexOf(0); at !== -1; at = chunk.indexOf(0, at + 1)) entries++;
    if (entries > MOST_FILES) throw tooMany();
  };
  const list = await runGit(place, ["ls-tree", "-r", "-z", "--long", "--full-tree", commit], {
    maxBytes: LONGEST_LIST,
    onOutput: count,
  });
  return list.split("\0").slice(0, -1).map(entryOf);
}

function entryOf(line: string): TreeEntry {
  const [, mode, id = "", size = "", path = ""] = LINE.exec(line) ?? [];
  if (mode === undefined) throw new Error("git ls-tree answers in another format");
  const kind = mode === "120000" ? "link" : mode === "160000" ? "submodule" : "file";
  return { path, kind, id, size: size === "-" ? 0 : Number(size) };
}

function tooMany(): HubError {
  return new HubError("GIT_TOO_LARGE", `The commit has more than ${MOST_FILES} files.`, {
    details: { mostFiles: MOST_FILES },
  });
}
