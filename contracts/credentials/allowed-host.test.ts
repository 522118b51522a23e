import assert from "node:assert/strict";
import { test } from "node:test";
import { addedHosts, allowsConsumer, allowsHost, normalAllowedHost, readAllowedHost } from "./allowed-host.ts";

test("an entry has one spelling", () => {
  for (const text of [
    "git.example.com",
    "git.example.com:8443",
    "*.example.com",
    "localhost:3000",
    "192.0.2.7",
    "[2001:db8::1]:8443",
    "xn--mnchen-3ya.example",
    "my_host",
  ])
    assert.ok(readAllowedHost(text), text);
  for (const text of [
    "",
    "Git.example.com",
    "git.example.com.",
    "git.example.com:0",
    "git.example.com:65536",
    "git.example.com:",
    "git.example.com/path",
    "https://git.example.com",
    "user@git.example.com",
    "münchen.example",
    "*",
    "*.com",
    "*.*.example.com",
    "a.*.example.com",
    "*git.example.com",
    "*.192.0.2.7",
    "*.[2001:db8::1]",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "[2001:DB8::1]",
    "[2001:db8:0::1]",
    "2001:db8::1",
    "-git.example.com",
    "git..example.com",
    "git.example.com ",
    "git.example.com\n",
    `${"a".repeat(64)}.example.com`,
  ])
    assert.equal(readAllowedHost(text), undefined, text);
});

test("the port that a kind has anyway is not kept; another is", () => {
  assert.equal(normalAllowedHost("git-https", "git.example.com:443"), "git.example.com");
  assert.equal(normalAllowedHost("ssh-key", "git.example.com:22"), "git.example.com");
  assert.equal(normalAllowedHost("ssh-key", "git.example.com:443"), "git.example.com:443");
  assert.equal(normalAllowedHost("bearer-token", "[2001:db8::1]:443"), "[2001:db8::1]");
});

test("a host is let through as it was entered, and no other", () => {
  const allows = (entry: string, target: string) => allowsHost("git-https", [entry], target);
  assert.ok(allows("git.example.com", "git.example.com"));
  assert.ok(allows("git.example.com", "git.example.com:443"));
  assert.ok(allows("git.example.com:8443", "git.example.com:8443"));
  assert.ok(allows("*.example.com", "git.example.com"));
  assert.ok(allows("*.example.com:8443", "git.example.com:8443"));
  for (const [entry, target] of [
    ["git.example.com", "git.example.com:8443"],
    ["git.example.com:8443", "git.example.com"],
    ["git.example.com", "example.com"],
    ["git.example.com", "evil-git.example.com"],
    ["git.example.com", "git.example.com.evil.test"],
    ["*.example.com", "example.com"],
    ["*.example.com", "a.b.example.com"],
    ["*.example.com", "evilexample.com"],
    ["*.example.com", "*.example.com"],
    ["*.example.com", "git.example.com:8443"],
    ["git.example.com", "GIT.example.com"],
    ["git.example.com", ""],
  ] as const)
    assert.ok(!allows(entry, target), `${entry} ${target}`);
  assert.ok(!allowsHost("git-https", [], "git.example.com"));
});

test("what is let through beyond before is told; what stays within is not", () => {
  const added = (before: string[], after: string[]) => addedHosts("git-https", before, after);
  assert.deepEqual(added(["*.example.com", "a.test"], ["git.example.com", "a.test:443"]), []);
  assert.deepEqual(added(["git.example.com"], ["*.example.com"]), ["*.example.com"]);
  assert.deepEqual(added(["git.example.com"], ["git.example.com", "b.test"]), ["b.test"]);
  assert.deepEqual(added(["git.example.com"], ["git.example.com:8443"]), ["git.example.com:8443"]);
  assert.deepEqual(added(["*.example.com"], ["*.example.com"]), []);
});

test("an area stands for all in it, one in it for itself alone", () => {
  assert.ok(allowsConsumer(["gitops"], "gitops/shop"));
  assert.ok(allowsConsumer(["gitops"], "gitops"));
  assert.ok(allowsConsumer(["gitops/shop"], "gitops/shop"));
  for (const consumer of ["gitops/other", "gitops", "gateway/shop", "gitops/shop/x"])
    assert.ok(!allowsConsumer(["gitops/shop"], consumer), consumer);
});
