/**
 * Repositories in folders of this machine. Only the folders that the operator listed are read, links in the way
 * resolved first; what would lead Git from such a repository to somewhere else is refused.
 */
import { lstat, readdir, readFile, realpath } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { HubError } from "../../errors.ts";
import { refused } from "./repository-url.ts";

export interface FileSource {
  /** With links resolved. */
  readonly url: string;
  readonly folder: string;
}

const LARGEST_CONFIG = 65_536;
/** Keys of a repository's configuration that make Git read or run what lies outside of it. */
const REACHING_CONFIG = /\[\s*(?:include|includeif)\b|partialclone|promisor|worktreeconfig|alternaterefscommand/i;
/** Entries of a repository's own folders that are looked at; more are not in one that is fetched from a folder. */
const MOST_ENTRIES = 500_000;

/**
 * The folder behind a file address.
 * @throws HubError REPOSITORY_URL_REFUSED where it does not lie in one of `roots`.
 */
export async function locateFileSource(folder: string, roots: readonly string[]): Promise<FileSource> {
  const real = await realpath(folder).catch(() => undefined);
  for (const root of roots) {
    const realRoot = await realpath(root).catch(() => undefined);
    if (realRoot === undefined) continue;
    if (real !== undefined && isInside(real, realRoot)) return { url: pathToFileURL(real).href, folder: real };
    if (real === undefined && (isInside(folder, root) || isInside(folder, realRoot))) {
      throw refused("There is no such folder.");
    }
  }
  const listed = roots.length === 0 ? "which is empty" : "and this is none";
  throw refused(`Only repositories in the folders of COUNTERSIGN_GIT_FILE_ROOTS are read, ${listed}.`);
}

/**
 * The repository's own folder, `.git` where it has a working tree: what Git is to open, and nothing else.
 * @throws HubError GIT_NOT_A_REPOSITORY; REPOSITORY_URL_REFUSED where it leads elsewhere.
 */
export async function openFileSource({ folder }: FileSource): Promise<string> {
  const dotGit = await kindOf(join(folder, ".git"));
  if (dotGit === "file" || dotGit === "link")
    throw refused("Its .git leads to another folder; give that one's address.");
  const gitFolder = dotGit === "folder" ? join(folder, ".git") : folder;
  if (gitFolder !== folder && (await kindOf(join(gitFolder, ".git"))) !== undefined) {
    throw refused("There is a .git inside of its .git.");
  }
  for (const [name, expected] of [
    ["HEAD", "file"],
    ["objects", "folder"],
    ["refs", "folder"],
  ] as const) {
    const found = await kindOf(join(gitFolder, name));
    if (found === "link") throw refused(`Its ${name} is a symbolic link.`);
    if (found !== expected) throw new HubError("GIT_NOT_A_REPOSITORY", `${folder} is no Git repository.`);
  }
  await refuseReachingOut(gitFolder);
  return gitFolder;
}

async function refuseReachingOut(gitFolder: string): Promise<void> {
  for (const name of ["commondir", "objects/info/alternates"]) {
    if ((await kindOf(join(gitFolder, name))) !== undefined) {
      throw refused(`It takes its objects from another repository (${name}).`);
    }
  }
  for (const place of [".", "objects", "refs"]) {
    const entries = await readdir(join(gitFolder, place), { withFileTypes: true, recursive: place !== "." });
    if (entries.length > MOST_ENTRIES) throw refused(`Its ${place} holds more than ${MOST_ENTRIES} files.`);
    const link = entries.find((entry) => entry.isSymbolicLink() && (place !== "." || entry.name !== "hooks"));
    if (link) throw refused(`Its ${relative(gitFolder, join(link.parentPath, link.name))} is a symbolic link.`);
  }
  const config = await readFile(join(gitFolder, "config"), "utf8").catch(() => "");
  if (config.length > LARGEST_CONFIG) throw refused("Its configuration is longer than 64 KB.");
  const found = REACHING_CONFIG.exec(config);
  if (found) throw refused(`Its configuration leads elsewhere (${found[0].trim().replace("[", "")}).`);
}

async function kindOf(path: string): Promise<"file" | "folder" | "link" | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) return "link";
  return found.isDirectory() ? "folder" : "file";
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
