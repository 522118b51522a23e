/** What a sync needs of Git; server/adapters/git implements it. */
import type { CredentialKind } from "../../../contracts/credentials/credential-kind.ts";

/** What a private repository is opened with; whoever gets it wipes `secret` after use. */
export interface GitLogin {
  readonly kind: CredentialKind;
  readonly username?: string;
  readonly secret: Buffer;
}

/** Opens the login for the host (`host`, or `host:port` where that is not the usual port) that is about to be asked. */
export type OpenGitLogin = (host: string) => Promise<GitLogin>;

export interface GitSource {
  readonly repositoryId: string;
  /** As `checkSource` answered. */
  readonly url: string;
  readonly branch: string;
  /** Absent: whoever asks may read it. */
  readonly login?: OpenGitLogin;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  /** One short sentence, whenever there is something new to say. */
  readonly progress: (sentence: string) => void;
}

export interface GitCommit {
  /** 40 or 64 hex digits. */
  readonly id: string;
  readonly author: string;
  /** First line of the message. */
  readonly subject: string;
  readonly committedAt: Date;
}

/** A file of the tree, by its path from the root, with forward slashes. */
export interface GitFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Bare mirrors of repositories, one a repository id. Whatever a mirror holds can be fetched again: nothing else depends
 * on it.
 */
export interface GitMirror {
  /**
   * The address as it will be fetched from, normalised. Throws REPOSITORY_URL_REFUSED with the reason, INPUT_INVALID
   * (no name of a branch); nothing is contacted.
   */
  checkSource(source: Pick<GitSource, "url" | "branch">): Promise<string>;
  /**
   * Where a login for this address would be sent, and as which kind; undefined for a folder, which takes none. Throws
   * REPOSITORY_URL_REFUSED; nothing is contacted.
   */
  loginPlace(url: string): { readonly kind: CredentialKind; readonly host: string } | undefined;
  /** How many branches the server lists for this login. Throws as `fetch`. */
  listBranches(source: { readonly url: string; readonly login: GitLogin }, signal: AbortSignal): Promise<number>;
  /**
   * Fetches the branch and answers with its head. The mirror keeps what it had where this throws: EGRESS_REFUSED,
   * GIT_UNREACHABLE, GIT_AUTH_REQUIRED, GIT_NOT_A_REPOSITORY, GIT_REPOSITORY_EMPTY, GIT_BRANCH_MISSING, GIT_TOO_LARGE,
   * GIT_TREE_REFUSED (objects that are none), REPOSITORY_URL_REFUSED (the folder is not allowed any more), TIMEOUT,
   * CANCELLED, and what `login` throws.
   */
  fetch(source: GitSource, options: FetchOptions): Promise<GitCommit>;
  /** Whether `ancestor` is in the history of `commit`; false too where the mirror does not have it. */
  isAncestor(repositoryId: string, ancestor: string, commit: string): Promise<boolean>;
  /**
   * The texts of one file and of what it includes. `path` names the file; `includes` answers, given its text, with globs
   * from the root of the tree. In the order of paths, the named file first. Throws GIT_PATH_MISSING, GIT_TREE_REFUSED,
   * GIT_TOO_LARGE, DESIRED_STATE_INVALID (a file is no UTF-8).
   */
  readFiles(
    repositoryId: string,
    commit: string,
    path: string,
    includes: (text: string) => readonly string[] | Promise<readonly string[]>,
  ): Promise<readonly GitFile[]>;
  /** Deletes the mirror. */
  forget(repositoryId: string): Promise<void>;
}
