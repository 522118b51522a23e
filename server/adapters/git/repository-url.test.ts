import assert from "node:assert/strict";
import { test } from "node:test";
import { checkBranchName, readRepositoryUrl } from "./repository-url.ts";

const refused = { code: "REPOSITORY_URL_REFUSED" };

const normalised: Readonly<Record<string, string>> = {
  "https://example.org/a/b.git": "https://example.org/a/b.git",
  "HTTPS://EXAMPLE.org:443/a/b": "https://example.org/a/b",
  "https://example.org./a": "https://example.org/a",
  "https://example.org:8443/a/../b": "https://example.org:8443/b",
  "https://bücher.example/a": "https://xn--bcher-kva.example/a",
  "https://[::1]/a": "https://[::1]/a",
  "https://127.1/a": "https://127.0.0.1/a",
  "ssh://git@example.org/a/b.git": "ssh://git@example.org/a/b.git",
  "ssh://example.org:22/~ada/b": "ssh://example.org/~ada/b",
  "ssh://git@EXAMPLE.org:2222/a": "ssh://git@example.org:2222/a",
  "ssh://git@[2001:db8::1]:2222/a": "ssh://git@[2001:db8::1]:2222/a",
  "ssh://0x7f.1/a": "ssh://127.0.0.1/a",
  "file:///srv/git/a": "file:///srv/git/a",
  "file:///srv/a%20b": "file:///srv/a%20b",
  "file:///srv/a/../b": "file:///srv/b",
};

for (const [text, url] of Object.entries(normalised)) {
  test(`${text} is taken`, () => {
    assert.equal(readRepositoryUrl(text).url, url);
    assert.equal(readRepositoryUrl(url).url, url, "it is read otherwise the second time");
  });
}

/** Each with what is taken in its place. */
const pairs: readonly { why: string; refused: readonly string[]; accepted: string }[] = [
  {
    why: "a helper that runs programs",
    refused: ["ext::sh -c id", "ext::sh%20-c%20id", "fd::3", "ext::https://example.org/a", "file::/srv/a", "a-b::c"],
    accepted: "https://[2001:db8::1]/a",
  },
  {
    why: "an option",
    refused: ["--upload-pack=id", "-u", "-oProxyCommand=id", "ssh://-oProxyCommand=id/a", "ssh://-x@example.org/a"],
    accepted: "ssh://x-y@example-x.org/a-b",
  },
  {
    why: "a path that begins as an option does",
    refused: ["ssh://example.org/-a", "https://example.org/--upload-pack", "file:///-a", "https://example.org//-a"],
    accepted: "https://example.org/a/-/b",
  },
  {
    why: "a host that begins as an option does, encoded",
    refused: ["ssh://%2doProxyCommand=id/a", "https://%2dx/a", "ssh://%2Dx/a", "ssh://a%20b/a", "ssh://a$(id)/a"],
    accepted: "ssh://example.org/a",
  },
  {
    why: "a password, or for https a user",
    refused: [
      "https://ada:secret@example.org/a",
      "https://ada@example.org/a",
      "https://:x@example.org/a",
      "ssh://a:b@c/d",
    ],
    accepted: "ssh://ada@example.org/a",
  },
  {
    why: "another scheme",
    refused: [
      "http://example.org/a",
      "git://example.org/a",
      "ftp://example.org/a",
      "git+ssh://example.org/a",
      "data:,a",
    ],
    accepted: "https://example.org/a",
  },
  {
    why: "no scheme",
    refused: ["git@example.org:a/b.git", "example.org:a", "example.org/a", "/srv/a", "./a", "../a", "a", "", "~/a"],
    accepted: "ssh://git@example.org/a/b.git",
  },
  {
    why: "control characters, spaces and backslashes, encoded ones too",
    refused: [
      "https://example.org/a\n",
      "https://example.org/a b",
      "https://exa\tmple.org/a",
      "https://example.org/a%0ab",
      "https://example.org/a%00",
      "https://example.org\\@evil.example/a",
      "https://example.org/a%5cb",
      "https://example.org/\u202ea",
      "file:///srv/a%0a",
    ],
    accepted: "https://example.org/a%20b",
  },
  {
    why: "a query or a fragment",
    refused: ["https://example.org/a?b", "https://example.org/a#b", "https://example.org/a?", "https://example.org/a#"],
    accepted: "https://example.org/a",
  },
  {
    why: "no repository or no host",
    refused: [
      "https://example.org",
      "https://example.org/",
      "ssh://example.org//",
      "https:///",
      "ssh:///a",
      "ssh://a:0/b",
    ],
    accepted: "https://example.org/a",
  },
  {
    why: "a file address with a host",
    refused: ["file://server/srv/a", "file://..", "file://srv/a"],
    accepted: "file:///srv/a",
  },
  {
    why: "a path that a shell or Git would read otherwise",
    refused: ["file:///srv/a%2Fb", `https://example.org/${"a".repeat(2048)}`],
    accepted: "file:///srv/a/b",
  },
];

for (const { why, refused: texts, accepted } of pairs) {
  test(`${why} is refused; ${accepted} is not`, () => {
    for (const text of texts) assert.throws(() => readRepositoryUrl(text), refused, JSON.stringify(text));
    readRepositoryUrl(accepted);
  });
}

test("a reason names no secret", () => {
  assert.throws(
    () => readRepositoryUrl("https://ada:hunter2@example.org/a"),
    (error: Error) => !error.message.includes("hunter2"),
  );
});

test("a branch has the name of one", () => {
  const names = ["", "-x", "--upload-pack=id", "/a", "a/", "a//b", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a["];
  for (const name of [
    ...names,
    "a\\b",
    "@",
    "HEAD",
    "@{u}",
    "a@{1}",
    ".a",
    "a/.b",
    "a.lock",
    "a.lock/b",
    "a.",
    "a\nb",
    "a\u202eb",
  ]) {
    assert.throws(() => checkBranchName(name), { code: "INPUT_INVALID", path: "branch" }, JSON.stringify(name));
  }
  for (const name of ["main", "release/2.0", "a-b_c", "a@b", "ünicode", "a.locked", "x{y}"]) checkBranchName(name);
});
