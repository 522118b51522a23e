import { HubError } from "../../errors.ts";
import type { TunnelFailure } from "../egress/tunnel.ts";
import type { RepositoryAddress } from "./repository-url.ts";
import type { GitFailure } from "./run-git.ts";

/** What the tunnel saw, which says more than Git does: Git knows only that its proxy did not help. */
export function tunnelError(failure: TunnelFailure, maxBytes: number): HubError {
  switch (failure.kind) {
    case "refused":
      return failure.error;
    case "over-budget":
      return tooLarge(maxBytes);
    case "unreachable":
      return new HubError("GIT_UNREACHABLE", `${failure.target} ${failure.reason}.`);
  }
}

export function tooLarge(maxBytes: number): HubError {
  const limit = Math.floor(maxBytes / 1024 / 1024);
  const sentence = `The repository with its history is larger than ${limit} MB. Its operator can raise COUNTERSIGN_GIT_MAX_MB.`;
  return new HubError("GIT_TOO_LARGE", sentence, { details: { maxBytes } });
}

/** By what Git and ssh write under LC_ALL=C; the first that fits. */
const WORDS: readonly { says: RegExp; error: (words: Words) => HubError }[] = [
  {
    says: /spawn git ENOENT/,
    error: () => new HubError("GIT_UNREACHABLE", "The program git is not installed where the hub looks for it (PATH)."),
  },
  {
    says: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/i,
    error: ({ knownHosts }) =>
      new HubError(
        "GIT_UNREACHABLE",
        `The server's ssh key is not the one of the first contact. If it was really replaced, the hub's operator deletes ${knownHosts}.`,
      ),
  },
  {
    says: /could not read (?:Username|Password)|Authentication failed|requested URL returned error: (?:401|403)|Permission denied \(|No more authentication methods/i,
    error: () =>
      new HubError(
        "GIT_AUTH_REQUIRED",
        "The server wants a login, or another one than it got, to show this repository.",
      ),
  },
  {
    says: /requested URL returned error: 30[12378]/,
    error: () =>
      new HubError(
        "GIT_UNREACHABLE",
        "The server leads on to another address, and a credential follows nowhere: name the address that it leads to.",
      ),
  },
  {
    says: /certificate|SSL|TLS/,
    error: ({ said }) =>
      new HubError(
        "GIT_UNREACHABLE",
        `The server's certificate is not trusted (${said}). COUNTERSIGN_EGRESS_CA_FILE names the authorities to trust.`,
      ),
  },
  {
    says: /Protocol .*(?:not supported|disabled)|transport '[^']*' not allowed/i,
    error: () => new HubError("GIT_UNREACHABLE", "The server leads on to an address that is not https://."),
  },
  {
    says: /mismatched algorithms/i,
    error: () => new HubError("GIT_NOT_A_REPOSITORY", "The repository's kind of object ids changed while it was read."),
  },
  {
    says: /fsck error|in fsck/i,
    error: ({ said }) =>
      new HubError("GIT_TREE_REFUSED", `The repository holds an object that is malformed (${said}).`),
  },
  {
    says: /repository\b.*\bnot found|does not appear to be a git repository|not valid: is this a git repository|protocol error|bad line length|invalid server response|not a git repository|unable to update url base/i,
    error: () => new HubError("GIT_NOT_A_REPOSITORY", "There is no Git repository at this address."),
  },
  {
    says: /unable to access|Could not resolve|Connection (?:closed|reset|refused|timed out)|Could not read from remote repository|the remote end hung up|early EOF|RPC failed|Operation too slow/i,
    error: ({ said }) => new HubError("GIT_UNREACHABLE", `The server does not answer as it should (${said}).`),
  },
];

interface Words {
  readonly said: string;
  readonly knownHosts: string;
}

/** Why the repository could not be read; undefined where the fault may be on this side. */
export function remoteFailure(failure: GitFailure, address: RepositoryAddress, knownHosts: string) {
  const found = WORDS.find(({ says }) => says.test(failure.stderr));
  if (found === undefined) return undefined;
  const error = found.error({ said: failure.said, knownHosts });
  // a folder has no server: whatever is wrong with it, it cannot be read as a repository
  if (address.scheme === "file" && error.code !== "GIT_TREE_REFUSED" && !failure.stderr.includes("spawn git")) {
    return new HubError("GIT_NOT_A_REPOSITORY", `${address.folder} cannot be read as a repository (${failure.said}).`);
  }
  return error;
}
