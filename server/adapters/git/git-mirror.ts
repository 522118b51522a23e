/** GitMirror by the system's git: one bare repository a repository id, in a folder that this user alone can enter. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { GitCommit, GitMirror } from "../../domain/gitops/git-mirror.ts";
import { HubError } from "../../errors.ts";
import type { Egress } from "../egress/egress.ts";
import { diskFault } from "./disk-fault.ts";
import { countBranches, fetchBranch, inRepository } from "./fetch-branch.ts";
import { locateFileSource } from "./file-source.ts";
import { LOGIN_KINDS } from "./git-job.ts";
import { writeGitSettings } from "./git-settings.ts";
import { markDamaged } from "./mirror-folder.ts";
import { takeLock } from "./mirror-lock.ts";
import { readDeclaredFiles } from "./read-files.ts";
import { checkBranchName, hostOfAddress, readRepositoryUrl } from "./repository-url.ts";
import { GitFailure, type GitPlace, runGit } from "./run-git.ts";

export interface GitMirrorOptions {
  /** `git` in the data folder; it is made. */
  readonly folder: string;
  /** Folders whose repositories may be read; COUNTERSIGN_GIT_FILE_ROOTS. */
  readonly fileRoots: readonly string[];
  /** Most bytes that a mirror may hold, and a fetch bring; COUNTERSIGN_GIT_MAX_MB. */
  readonly maxBytes: number;
  readonly egress: Egress;
  /** Certificate authorities for https, PEM, in place of the system's; COUNTERSIGN_EGRESS_CA_FILE. */
  readonly caFile?: string | undefined;
  /** Where git and ssh are looked for, as PATH has it. */
  readonly searchPath?: string;
  /** For one fetch, waiting for another one included. */
  readonly timeoutMs?: number;
  readonly log?: { warn(facts: object, sentence: string): void };
}

const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin";
const FETCH_TIMEOUT_MS = 300_000;
const READ_TIMEOUT_MS = 60_000;
const SWEEP_WAIT_MS = 20;
const ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export async function openGitMirror(options: GitMirrorOptions): Promise<GitMirror> {
  const { folder, fileRoots, maxBytes, egress, caFile, log } = options;
  const { searchPath = SEARCH_PATH, timeoutMs = FETCH_TIMEOUT_MS } = options;
  for (const place of [folder, join(folder, "locks"), join(folder, "settings")]) {
    await mkdir(place, { recursive: true, mode: 0o700 });
  }
  const env = await writeGitSettings(join(folder, "settings"), {}, searchPath);
  const reading = (): GitPlace => ({ folder, env, signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
  const placesOf = (repositoryId: string) => {
    if (!/^[a-z0-9-]{1,64}$/i.test(repositoryId)) throw new Error("a repository's id is a UUID");
    return {
      name: `${repositoryId}.git`,
      mirror: join(folder, `${repositoryId}.git`),
      knownHosts: join(folder, `${repositoryId}.known_hosts`),
      lock: join(folder, "locks", repositoryId),
    };
  };

  const shared = {
    egress,
    caFile,
    searchPath,
    maxBytes,
    fileRoots,
    log: (facts: object, sentence: string) => log?.warn(facts, sentence),
  };

  /** What a job of a process that was killed left behind; under the lock no job is running. */
  async function removeJobs(name: string): Promise<void> {
    for (const entry of await readdir(folder)) {
      if (entry.startsWith(`${name}.fetch-`)) await remove(join(folder, entry));
    }
  }

  await sweepJobs(folder);
  return {
    async checkSource({ url, branch }) {
      checkBranchName(branch);
      const address = readRepositoryUrl(url);
      return address.scheme === "file" ? (await locateFileSource(address.folder, fileRoots)).url : address.url;
    },

    loginPlace(url) {
      const address = readRepositoryUrl(url);
      const host = hostOfAddress(address);
      return address.scheme === "file" || host === undefined ? undefined : { kind: LOGIN_KINDS[address.scheme], host };
    },

    async listBranches({ url, login }, signal) {
      const { name, knownHosts, lock } = placesOf(randomUUID());
      const both = AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS)]);
      // a folder of its own, which is removed at the next start where this process does not come to it
      using _ = await takeLock(lock, both);
      const options = { ...shared, reading: { ...reading(), signal: both } };
      try {
        return await countBranches({ url, login, knownHosts, signal: both }, join(folder, `${name}.fetch-`), options);
      } finally {
        await rm(knownHosts, { force: true });
        await rm(lock, { force: true });
      }
    },

    async fetch({ repositoryId, url, branch, login }, { signal, progress }) {
      const { name, mirror, knownHosts, lock } = placesOf(repositoryId);
      const timeout = AbortSignal.timeout(timeoutMs);
      const both = AbortSignal.any([signal, timeout]);
      try {
        using _ = await takeLock(lock, both);
        await removeJobs(name);
        const head = await fetchBranch(
          { url, branch, mirror, knownHosts, login, signal: both, progress },
          { ...shared, reading: { ...reading(), signal: both } },
        );
        return await commitOf(inRepository({ ...reading(), signal: both }, mirror), head);
      } catch (error) {
        if (signal.aborted) throw new HubError("CANCELLED", "The fetch was cancelled.", { cause: error });
        if (timeout.aborted) {
          throw new HubError("TIMEOUT", `The fetch took longer than ${timeoutMs / 1000} s.`, { cause: error });
        }
        throw diskFault(error) ?? error;
      }
    },

    async isAncestor(repositoryId, ancestor, commit) {
      if (!ID.test(ancestor) || !ID.test(commit)) return false;
      try {
        const base = await runGit(inRepository(reading(), placesOf(repositoryId).mirror), [
          "merge-base",
          ancestor,
          commit,
        ]);
        return base.trim() === ancestor;
      } catch (error) {
        if (error instanceof GitFailure) return false;
        throw error;
      }
    },

    async readFiles(repositoryId, commit, path, includes) {
      const { mirror } = placesOf(repositoryId);
      if (!ID.test(commit)) throw new Error("a commit's id is 40 or 64 hex digits");
      try {
        return await readDeclaredFiles(inRepository(reading(), mirror), commit, path, includes);
      } catch (error) {
        if (!(error instanceof GitFailure)) throw error;
        await markDamaged(mirror);
        log?.warn({ mirror, reason: error.said }, "a mirror is damaged; the next fetch brings it anew");
        throw new HubError("INTERNAL", "The copy of the repository is damaged; the next sync fetches it anew.", {
          cause: error,
        });
      }
    },

    async forget(repositoryId) {
      const { name, mirror, knownHosts, lock } = placesOf(repositoryId);
      using _ = await takeLock(lock, AbortSignal.timeout(timeoutMs));
      await removeJobs(name);
      await remove(mirror);
      await rm(knownHosts, { force: true });
    },
  };
}

/**
 * Removes the folders of jobs whose process was killed, since a login may lie in one. What another process on this data
 * folder is working in stays.
 */
async function sweepJobs(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    const [, id] = /^([a-z0-9-]{1,64})\.git\.fetch-/i.exec(entry) ?? [];
    if (id === undefined) continue;
    const patience = AbortSignal.timeout(SWEEP_WAIT_MS);
    try {
      using _ = await takeLock(join(folder, "locks", id), patience);
      await remove(join(folder, entry));
    } catch (error) {
      if (!patience.aborted) throw error;
    }
  }
}

/** A Git that outlived its hub may still be writing: what it makes meanwhile is removed as well. */
async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

const SHOWN = 200;

async function commitOf(place: GitPlace, id: string): Promise<GitCommit> {
  const format = "--format=%H%x00%an%x00%s%x00%ct";
  const shown = await runGit(place, ["log", "-1", "--no-show-signature", "--no-notes", format, "--end-of-options", id]);
  const [found = id, author = "", subject = "", seconds = "0"] = shown.trimEnd().split("\0");
  return {
    id: found,
    author: oneLine(author),
    subject: oneLine(subject),
    committedAt: new Date(Number(seconds) * 1000),
  };
}

/** Strangers wrote it: nothing that moves a cursor or turns text around. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ")
    .slice(0, SHOWN)
    .trim();
}
