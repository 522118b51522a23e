import { GitError, GitPluginError, simpleGit } from "simple-git";
import { HubError } from "../../errors.ts";
import { GUARDED } from "./git-settings.ts";

/** Where and how Git runs; `env` as writeGitSettings answered. */
export interface GitPlace {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** A secret is sent along, which the other side may send back in its own words: then none of them are repeated. */
  readonly withheld?: boolean;
}

export interface GitOutput {
  /** Most bytes of standard output; more ends Git with GIT_TOO_LARGE. */
  readonly maxBytes?: number;
  /** Called with what comes in; throwing ends Git with what was thrown. */
  readonly onOutput?: (chunk: Buffer) => void;
  readonly onErrorOutput?: (chunk: Buffer) => void;
}

/** Git said no: its exit code, and what it wrote on standard error, which comes from strangers in part. */
export class GitFailure extends GitError {
  readonly exitCode: number;
  readonly #stderr: string;
  readonly #withheld: boolean;

  constructor(exitCode: number, stderr: string, withheld = false) {
    super(undefined, `git ended with ${exitCode}`);
    this.exitCode = exitCode;
    this.#stderr = stderr;
    this.#withheld = withheld;
  }

  /** To find out what it is about; never to be shown, and in no log of the error. */
  get stderr(): string {
    return this.#stderr;
  }

  /** One line of it, safe to show. */
  get said(): string {
    return this.#withheld ? "its words are withheld, since a credential was sent" : lineOf(this.#stderr);
  }
}

const MOST_OUTPUT = 16 * 1024 * 1024;
const MOST_ERROR_OUTPUT = 1024 * 1024;
/** Milliseconds that what Git started may hold its output open after it ended. */
const AFTER_EXIT_MS = 2000;

/**
 * Runs `git` with these arguments and answers with its output, taken for UTF-8.
 * @throws GitFailure; HubError GIT_TOO_LARGE; simple-git's error where the signal ended it
 */
export async function runGit(place: GitPlace, args: readonly string[], output: GitOutput = {}): Promise<string> {
  return watched(place, output, (git) => git.raw([...args]));
}

/** The contents of objects, as `git cat-file --batch` writes them. */
export async function readObjects(place: GitPlace, ids: readonly string[], maxBytes: number): Promise<Buffer> {
  const input = ids.map((id) => `${id}\n`).join("");
  return watched(place, { maxBytes }, (git) => git.binaryCatFile(["--batch"]), input);
}

type Git = ReturnType<typeof simpleGit>;

async function watched<T>(
  { folder, env, signal, withheld }: GitPlace,
  { maxBytes = MOST_OUTPUT, onOutput, onErrorOutput }: GitOutput,
  work: (git: Git) => PromiseLike<T>,
  input?: string,
): Promise<T> {
  const stop = new AbortController();
  const git = simpleGit({
    baseDir: folder,
    abort: AbortSignal.any([signal, stop.signal]),
    allowEnvironment: GUARDED,
    unsafe: { allowUnsafeConfigPaths: true }, // GIT_CONFIG_GLOBAL is the adapter's own file
    completion: { onClose: true, onExit: AFTER_EXIT_MS },
    // what simple-git itself ended stays its error; what Git said keeps its exit code
    errors: (error, { exitCode, stdErr }) =>
      error instanceof GitPluginError || exitCode === 0
        ? error
        : new GitFailure(exitCode, Buffer.concat(stdErr).toString(), withheld),
    ...(input !== undefined && { input: () => input }),
  });
  const meter = (limit: number, then?: (chunk: Buffer) => void) => {
    let bytes = 0;
    return (chunk: Buffer) => {
      bytes += chunk.length;
      try {
        if (bytes > limit) throw new HubError("GIT_TOO_LARGE", "Git answers with more than the hub reads.");
        then?.(chunk);
      } catch (error) {
        stop.abort(error);
      }
    };
  };
  git.env({ ...env }).outputHandler((_, stdout, stderr) => {
    stdout.on("data", meter(maxBytes, onOutput));
    stderr.on("data", meter(MOST_ERROR_OUTPUT, onErrorOutput));
  });
  try {
    return await work(git);
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  }
}

const MOST_SAID = 200;

function lineOf(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).map((line) => line.trim());
  const fatal = lines.find((text) => /^(?:fatal|error)\b/i.test(text));
  return (fatal ?? lines.find((text) => text !== "") ?? "no word why")
    .replace(/(:\/\/)[^\s/@]*@/g, "$1")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?")
    .slice(0, MOST_SAID);
}
