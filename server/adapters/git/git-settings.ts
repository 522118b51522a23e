/**
 * All that Git is told besides its arguments. Nothing of the hub's own environment, the user's or the system's
 * configuration reaches it; the file that stands for the user's configuration is the adapter's own.
 */
import { randomBytes } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RepositoryAddress } from "./repository-url.ts";

export type Scheme = RepositoryAddress["scheme"];

export interface GitSettings {
  /** The one protocol that is on; none for reading a mirror. */
  readonly scheme?: Scheme;
  /** For https: the URL of the proxy, with its credential. */
  readonly proxy?: string;
  /** For https: sent as `Authorization: Basic` to this origin and nowhere else. */
  readonly login?: { readonly origin: string; readonly basic: string };
  /** Certificate authorities to trust, PEM, in place of the system's. */
  readonly caFile?: string | undefined;
  /** For ssh: the program with its arguments, for a shell. */
  readonly sshCommand?: string;
  /** For file: repositories that may belong to another user. */
  readonly trusted?: readonly string[];
}

type Entry = readonly [section: string, key: string, value: string];

/**
 * Writes the settings into `folder`, which this user alone can enter, and answers with the environment for Git.
 * @param searchPath where git and ssh are looked for, as PATH has it
 */
export async function writeGitSettings(
  folder: string,
  settings: GitSettings,
  searchPath: string,
): Promise<Record<string, string>> {
  const home = join(folder, "home");
  const config = join(folder, "settings");
  await mkdir(home, { recursive: true, mode: 0o700 });
  // another process may be reading the same file: it sees the old one or the new one
  const draft = `${config}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, configText(entriesFor(settings)), { mode: 0o600 });
  await rename(draft, config);
  return {
    PATH: searchPath,
    LC_ALL: "C",
    HOME: home,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: config,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: settings.scheme ?? "none",
    GIT_PROTOCOL_FROM_USER: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
    GIT_OPTIONAL_LOCKS: "0",
    // one object that a few bytes of pack unfold to would otherwise take all of the machine's memory
    GIT_ALLOC_LIMIT: "256m",
    // the data folder may itself lie in somebody's repository
    GIT_CEILING_DIRECTORIES: folder,
  };
}

/** Names of the above, and of what single calls add, that simple-git withholds from Git unless they are allowed. */
export const GUARDED = [
  "GIT_CONFIG_NOSYSTEM",
  "GIT_CONFIG_GLOBAL",
  "GIT_ATTR_NOSYSTEM",
  "GIT_TERMINAL_PROMPT",
  "GIT_ALLOW_PROTOCOL",
  "GIT_PROTOCOL_FROM_USER",
  "GIT_NO_REPLACE_OBJECTS",
  "GIT_NO_LAZY_FETCH",
  "GIT_OPTIONAL_LOCKS",
  "GIT_ALLOC_LIMIT",
  "GIT_CEILING_DIRECTORIES",
  "GIT_DIR",
  "GIT_TRACE_PACKET",
] as const;

function entriesFor({ scheme, proxy, login, caFile, sshCommand, trusted = [] }: GitSettings): Entry[] {
  const entries: Entry[] = [...ALWAYS];
  if (scheme) entries.push([`protocol "${scheme}"`, "allow", "always"]);
  if (proxy) entries.push(["http", "proxy", proxy], ["http", "proxyAuthMethod", "basic"]);
  if (login) {
    entries.push([`http "${login.origin}/"`, "extraHeader", `Authorization: Basic ${login.basic}`]);
    // after a redirect Git would go on with the same headers, whoever it was led to
    entries.push(["http", "followRedirects", "false"]);
  }
  if (caFile) entries.push(["http", "sslCAInfo", caFile]);
  if (sshCommand) entries.push(["core", "sshCommand", sshCommand]);
  for (const folder of trusted) entries.push(["safe", "directory", folder]);
  return entries;
}

const ALWAYS: readonly Entry[] = [
  // nothing that runs programs
  ["core", "hooksPath", "/dev/null"],
  ["core", "fsmonitor", "false"],
  ["core", "askPass", ""],
  ["credential", "helper", ""],
  ["init", "templateDir", ""],
  ["gc", "auto", "0"],
  ["maintenance", "auto", "false"],
  ["ssh", "variant", "ssh"],
  // nothing but the one branch of the one repository
  ["protocol", "allow", "never"],
  ["protocol", "version", "2"],
  ["fetch", "recurseSubmodules", "false"],
  ["submodule", "recurse", "false"],
  ["transfer", "bundleURI", "false"],
  ["transfer", "credentialsInUrl", "die"],
  ["http", "followRedirects", "initial"],
  ["http", "sslVerify", "true"],
  ["http", "lowSpeedLimit", "1"],
  ["http", "lowSpeedTime", "60"],
  // every object is checked as it comes in, for names such as .git and .. too
  ["transfer", "fsckObjects", "true"],
  ["core", "protectHFS", "true"],
  ["core", "protectNTFS", "true"],
  ["core", "symlinks", "false"],
  // what old tools wrote into the history of many repositories, and harms nobody
  ["fetch.fsck", "zeroPaddedFilemode", "ignore"],
  ["fetch.fsck", "badTimezone", "ignore"],
  ["fetch.fsck", "missingSpaceBeforeDate", "ignore"],
  // one pack a fetch, so that it can be moved as a whole; large blobs are streamed, not held in memory
  ["transfer", "unpackLimit", "1"],
  ["core", "bigFileThreshold", "1m"],
  ["pack", "threads", "1"],
  ["fetch", "writeCommitGraph", "false"],
];

function configText(entries: readonly Entry[]): string {
  return entries.map(([section, key, value]) => `[${sectionName(section)}]\n\t${key} = ${quoted(value)}\n`).join("");
}

/** `fetch.fsck` is a section with a subsection, which the format wants in quotes. */
function sectionName(section: string): string {
  return section.replace(/^([a-z]+)\.([A-Za-z]+)$/, '$1 "$2"');
}

function quoted(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', String.raw`\"`).replaceAll("\n", String.raw`\n`)}"`;
}
