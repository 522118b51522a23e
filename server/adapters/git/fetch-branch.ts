import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { GitLogin, OpenGitLogin } from "../../domain/gitops/git-mirror.ts";
import { HubError } from "../../errors.ts";
import { diskFault } from "./disk-fault.ts";
import { locateFileSource } from "./file-source.ts";
import { type Job, type JobOptions, openJob } from "./git-job.ts";
import {
  borrowObjects,
  exists,
  HEAD_REF,
  type IdLength,
  isDamaged,
  measure,
  publish,
  removeLeftovers,
  writeSkeleton,
} from "./mirror-folder.ts";
import { remoteFailure, tooLarge, tunnelError } from "./remote-failure.ts";
import { checkBranchName, hostOfAddress, type RepositoryAddress, readRepositoryUrl } from "./repository-url.ts";
import { GitFailure, type GitPlace, runGit } from "./run-git.ts";
import { listTree } from "./tree-listing.ts";

export interface FetchRequest {
  readonly url: string;
  readonly branch: string;
  /** The mirror's folder; the jobs' folders and the ssh server's key stand beside it. */
  readonly mirror: string;
  readonly knownHosts: string;
  readonly login: OpenGitLogin | undefined;
  readonly signal: AbortSignal;
  readonly progress: (sentence: string) => void;
}

export interface FetchOptions extends JobOptions {
  readonly fileRoots: readonly string[];
  /** For what is done in the mirror itself. */
  readonly reading: GitPlace;
  readonly log: (facts: object, sentence: string) => void;
}

/** Packs of a mirror; with more, it is fetched anew as one. */
const MOST_PACKS = 50;
const WATCH_MS = 100;
const FETCHED_REF = "refs/heads/fetched";
const MOST_NAMED = 20;

/** Brings the branch into the mirror, whose lock the caller holds, and answers with the id of its head. */
export async function fetchBranch(request: FetchRequest, options: FetchOptions): Promise<string> {
  checkBranchName(request.branch);
  const address = await currentAddress(request.url, options.fileRoots);
  await mkdir(request.mirror, { recursive: true, mode: 0o700 });
  await removeLeftovers(request.mirror);
  const host = hostOfAddress(address);
  // once for all that follows: each use is on record
  const login = host === undefined ? undefined : await request.login?.(host);
  const withJob = async <T>(work: (job: Job) => Promise<T>): Promise<T> => {
    const { mirror, knownHosts, signal } = request;
    await using job = await openJob(address, `${mirror}.fetch-`, { knownHosts, login, signal }, options);
    return await work(job);
  };
  try {
    return await bring(withJob, { address, request, options });
  } finally {
    login?.secret.fill(0);
  }
}

type WithJob = <T>(work: (job: Job) => Promise<T>) => Promise<T>;

async function bring(withJob: WithJob, wording: FetchWording): Promise<string> {
  const { request, options } = wording;
  request.progress(`Asking for the branch ${request.branch}.`);
  const wanted = await withJob((job) => headOf(job, wording));
  const idLength: IdLength = wanted.length === 64 ? 64 : 40;
  const mirror = await stateOf(request.mirror, options.reading);
  const sound = mirror.head?.length === idLength && mirror.packs <= MOST_PACKS;
  if (sound && mirror.head === wanted) return wanted;

  if (sound) {
    const found = await withJob((job) => fetchInto(job, wording, { idLength, borrowed: mirror.bytes }));
    if (typeof found === "string") return found;
    options.log({ mirror: request.mirror, reason: found.message }, "a mirror is fetched anew");
  }
  request.progress("Fetching the whole history.");
  const found = await withJob((job) => fetchInto(job, wording, { idLength, borrowed: undefined }));
  if (typeof found === "string") return found;
  throw found;
}

interface Wording {
  readonly address: RepositoryAddress;
  readonly request: Pick<FetchRequest, "knownHosts">;
  readonly options: FetchOptions;
}

type FetchWording = Wording & { readonly request: FetchRequest };

/** The address as it is to be reached now: a folder may have moved behind a link since the repository was registered. */
async function currentAddress(url: string, roots: readonly string[]): Promise<RepositoryAddress> {
  const address = readRepositoryUrl(url);
  return address.scheme === "file" ? { scheme: "file", ...(await locateFileSource(address.folder, roots)) } : address;
}

async function stateOf(mirror: string, reading: GitPlace) {
  const [{ bytes, packs }, damaged] = await Promise.all([measure(mirror), isDamaged(mirror)]);
  const none = { bytes, packs, head: undefined };
  if (damaged || bytes === 0) return none;
  try {
    return { bytes, packs, head: await commitAt(inRepository(reading, mirror), HEAD_REF) };
  } catch (error) {
    if (error instanceof GitFailure) return none;
    throw error;
  }
}

/** How many branches the server lists, for whoever only wants to know whether it lets them in. */
export async function countBranches(
  { login, ...request }: Pick<FetchRequest, "url" | "knownHosts" | "signal"> & { readonly login: GitLogin },
  beside: string,
  options: FetchOptions,
): Promise<number> {
  const address = await currentAddress(request.url, options.fileRoots);
  await using job = await openJob(address, beside, { ...request, login }, options);
  return (await headsOf(job, { address, request, options })).size;
}

/** Asks the server for its branches: this tells most of what can be wrong, before anything is fetched. */
async function headOf(job: Job, wording: FetchWording): Promise<string> {
  const { request } = wording;
  const heads = await headsOf(job, wording);
  const head = heads.get(request.branch);
  if (head !== undefined) return head;
  if (heads.size === 0) throw new HubError("GIT_REPOSITORY_EMPTY", "The repository has no branch with a commit yet.");
  throw branchMissing(request.branch, job.withheld ? [] : [...heads.keys()].sort());
}

/** The branches with their heads. Throws GIT_NOT_A_REPOSITORY where none come, and not from Git. */
async function headsOf(job: Job, wording: Wording): Promise<ReadonlyMap<string, string>> {
  let list: string;
  try {
    list = await runGit(job, ["ls-remote", "--heads", "--", job.url]);
  } catch (error) {
    throw failureOf(error, job, wording) ?? unexplained(error);
  }
  const heads = new Map<string, string>();
  for (const line of list.split("\n")) {
    const [, id = "", name] = /^([0-9a-f]{40}|[0-9a-f]{64})\trefs\/heads\/(.+)$/.exec(line) ?? [];
    if (name !== undefined) heads.set(name, id);
  }
  if (heads.size > 0 || (await speaksGit(job))) return heads;
  throw new HubError("GIT_NOT_A_REPOSITORY", "There is no Git repository at this address.");
}

/**
 * Over https, Git takes any short page for the empty list of a plain file server. A server that speaks its protocol shows
 * in the packets that are exchanged.
 */
async function speaksGit(job: Job): Promise<boolean> {
  let packets = false;
  await runGit({ ...job, env: { ...job.env, GIT_TRACE_PACKET: "1" } }, ["ls-remote", "--heads", "--", job.url], {
    onErrorOutput: (chunk) => {
      packets ||= chunk.includes("packet:");
    },
  });
  return packets;
}

/**
 * Fetches the branch into the job's own repository and, once it is complete and checked, moves it into the mirror.
 * @param borrowed bytes of the mirror, whose objects need not be fetched again; undefined to fetch everything and to
 *   replace what the mirror has
 * @returns the head's id, or why fetching everything may help where this did not
 */
async function fetchInto(
  job: Job,
  wording: FetchWording,
  { idLength, borrowed }: { readonly idLength: IdLength; readonly borrowed: number | undefined },
): Promise<string | HubError> {
  const { request, options } = wording;
  const repository = join(job.folder, "repository");
  await writeSkeleton(repository, idLength);
  if (borrowed !== undefined) await borrowObjects(repository, request.mirror);
  const watch = watchGrowth(repository, options.maxBytes - (borrowed ?? 0), options.maxBytes);
  const signal = AbortSignal.any([job.signal, watch.signal]);
  const place = inRepository({ ...job, signal }, repository);
  try {
    await runGit(
      place,
      [
        "fetch",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-recurse-submodules",
        "--no-auto-maintenance",
        "--update-shallow", // else Git leaves such a branch out, and succeeds
        "--progress",
        "--",
        job.url,
        `+refs/heads/${request.branch}:${FETCHED_REF}`,
      ],
      { onErrorOutput: telling(request.progress) },
    );
    await watch.check();
    signal.throwIfAborted();
    await refuseShallow(repository);
    const head = await commitAt(place, FETCHED_REF);
    await listTree(place, head); // its objects are there, and not too many
    await publish(repository, request.mirror, head, { idLength, replace: borrowed === undefined });
    return head;
  } catch (error) {
    if (watch.signal.aborted) return mayHelp(watch.signal.reason, borrowed, options.maxBytes);
    const known = failureOf(error, job, wording);
    if (known) throw known;
    return unexplained(error);
  } finally {
    watch[Symbol.dispose]();
  }
}

async function refuseShallow(repository: string): Promise<void> {
  if (!(await exists(join(repository, "shallow")))) return;
  throw new HubError("GIT_NOT_A_REPOSITORY", "The repository is a shallow copy: its history is cut off.");
}

/** Where most of the room is taken by what the mirror has already, part of that may be history that is no more. */
function mayHelp(error: HubError, borrowed: number | undefined, maxBytes: number): HubError {
  if (borrowed === undefined || borrowed < maxBytes / 2) throw error;
  return error;
}

interface Watch extends Disposable {
  readonly signal: AbortSignal;
  check(): Promise<void>;
}

/** Aborts its signal once a repository's objects take more bytes than these. */
function watchGrowth(repository: string, room: number, maxBytes: number): Watch {
  const over = new AbortController();
  let checking = false;
  const check = async () => {
    if ((await measure(repository)).bytes > room) over.abort(tooLarge(maxBytes));
  };
  const timer = setInterval(() => {
    if (checking) return;
    checking = true;
    void check().finally(() => {
      checking = false;
    });
  }, WATCH_MS);
  return { signal: over.signal, check, [Symbol.dispose]: () => clearInterval(timer) };
}

/** What is known of why Git failed; undefined where it may be this side's fault. Rethrows what is no failure of Git's. */
function failureOf(error: unknown, job: Job, { address, request, options }: Wording): HubError | undefined {
  if (job.signal.aborted || error instanceof HubError) throw error;
  const full = diskFault(error); // before all else: Git tells what comes of it as well
  if (full) return full;
  if (job.tunnel?.failure) return tunnelError(job.tunnel.failure, options.maxBytes);
  if (error instanceof GitFailure) return remoteFailure(error, address, request.knownHosts);
  throw error;
}

function unexplained(error: unknown): HubError {
  const words = error instanceof GitFailure ? ` (${error.said})` : "";
  return new HubError("GIT_UNREACHABLE", `The repository could not be read${words}.`, { cause: error });
}

function branchMissing(branch: string, branches: readonly string[]): HubError {
  const shown = branches.slice(0, MOST_NAMED).map((name) => name.replace(/[\p{Cf}\p{Zl}\p{Zp}]/gu, "?"));
  const more = branches.length > shown.length ? ` and ${branches.length - shown.length} more` : "";
  const others = shown.length > 0 ? `; it has ${shown.join(", ")}${more}` : "";
  return new HubError("GIT_BRANCH_MISSING", `The repository has no branch ${branch}${others}.`, {
    path: "branch",
    details: { branches: shown },
  });
}

/** One sentence for each per cent that Git tells. */
function telling(progress: (sentence: string) => void): (chunk: Buffer) => void {
  let told = "";
  return (chunk) => {
    const [, stage, percent] =
      /(Receiving objects|Resolving deltas): {1,8}(\d{1,3})%[^%]*$/.exec(chunk.toString("latin1")) ?? [];
    if (stage === undefined || told === stage + percent) return;
    told = stage + percent;
    progress(`${stage}: ${percent} %.`);
  };
}

export function inRepository(place: GitPlace, repository: string): GitPlace {
  return { ...place, env: { ...place.env, GIT_DIR: repository } };
}

async function commitAt(place: GitPlace, ref: string): Promise<string> {
  return (await runGit(place, ["rev-parse", "--verify", "--end-of-options", `${ref}^{commit}`])).trim();
}
