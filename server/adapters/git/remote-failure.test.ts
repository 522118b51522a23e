/** Git and ssh say why in words; these are theirs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HubError } from "../../errors.ts";
import { remoteFailure, tunnelError } from "./remote-failure.ts";
import { readRepositoryUrl } from "./repository-url.ts";
import { GitFailure } from "./run-git.ts";

const KNOWN_HOSTS = "/data/git/1.known_hosts";
const of = (stderr: string, url = "ssh://git@code.example/a") =>
  remoteFailure(new GitFailure(128, stderr), readRepositoryUrl(url), KNOWN_HOSTS);

const words: readonly (readonly [code: string, ...texts: readonly string[]])[] = [
  [
    "GIT_UNREACHABLE",
    "@@@@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.\nfatal: Could not read from remote repository.",
    "No ED25519 host key is known for code.example and you have requested strict checking.\nHost key verification failed.",
    "kex_exchange_identification: Connection closed by remote host\nfatal: Could not read from remote repository.",
    "fatal: unable to access 'https://code.example/a/': Recv failure: Connection reset by peer",
    "error: RPC failed; curl 28 Operation too slow. Less than 1 bytes/sec transferred the last 60 seconds",
    "fatal: unable to access 'https://code.example/a/': server certificate verification failed. CAfile: none CRLfile: none",
  ],
  [
    "GIT_AUTH_REQUIRED",
    "git@code.example: Permission denied (publickey).\nfatal: Could not read from remote repository.",
    "fatal: could not read Username for 'https://code.example': terminal prompts disabled",
    "fatal: unable to access 'https://code.example/a/': The requested URL returned error: 403",
  ],
  [
    "GIT_NOT_A_REPOSITORY",
    "fatal: repository 'https://code.example/a/' not found",
    "ERROR: Repository not found.\nfatal: Could not read from remote repository.",
    "fatal: '/a' does not appear to be a git repository\nfatal: Could not read from remote repository.",
    "fatal: https://code.example/a/info/refs not valid: is this a git repository?",
  ],
  ["GIT_TREE_REFUSED", "error: object 1234: hasDotgit: contains '.git'\nfatal: fsck error in packed object"],
];

for (const [code, ...texts] of words) {
  test(`${code} by what is said`, () => {
    for (const text of texts) assert.equal(of(text)?.code, code, text);
  });
}

test("a key that changed names the file that keeps the old one", () => {
  assert(of("Host key verification failed.")?.message.includes(KNOWN_HOSTS));
});

test("what may be this side's fault is left open, and shown in one line without credentials or control signs", () => {
  const stderr = "remote: hello\nfatal: https://ada:secret@code.example/a \u001b[31mfell\u202e over\nmore";
  assert.equal(of(stderr), undefined);
  assert.equal(new GitFailure(1, stderr).said, "fatal: https://code.example/a ?[31mfell? over");
  assert.equal(new GitFailure(1, `fatal: ${"x".repeat(1000)}`).said.length, 200);
  assert.equal(new GitFailure(1, "").said, "no word why");
});

test("what the tunnel saw has its own codes", () => {
  const error = new HubError("EGRESS_REFUSED", "no");
  assert.equal(tunnelError({ kind: "refused", error }, 1), error);
  assert.equal(tunnelError({ kind: "over-budget" }, 1).code, "GIT_TOO_LARGE");
  assert.equal(tunnelError({ kind: "unreachable", target: "a", reason: "is away" }, 1).code, "GIT_UNREACHABLE");
});
