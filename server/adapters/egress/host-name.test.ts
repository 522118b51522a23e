import assert from "node:assert/strict";
import { test } from "node:test";
import { hostForUrl, readHost, readTarget } from "./host-name.ts";

const spellings: Readonly<Record<string, readonly string[]>> = {
  "127.0.0.1": ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "１２７.0.0.1"],
  "169.254.169.254": ["169.254.169.254", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518"],
  "::1": ["::1", "[::1]", "[0:0:0:0:0:0:0:1]", "0::1"],
  "::ffff:7f00:1": ["::ffff:127.0.0.1", "[::FFFF:7F00:1]"],
  "example.org": ["example.org", "EXAMPLE.org", "example.org.", "ｅxample.org", "example。org"],
  "xn--bcher-kva.example": ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example"],
  localhost: ["localhost", "LOCALHOST", "localhost."],
};

for (const [name, texts] of Object.entries(spellings)) {
  test(`${name} is one host, however it is spelled`, () => {
    for (const text of texts) assert.equal(readHost(text)?.name, name, text);
  });
}

test("an address is told from a name", () => {
  assert.equal(readHost("127.1")?.isAddress, true);
  assert.equal(readHost("[::1]")?.isAddress, true);
  assert.equal(readHost("a127.example")?.isAddress, false);
});

test("what is no host is none", () => {
  const texts = [
    "",
    ".",
    "a b",
    "a/b",
    "a@b",
    "a:80",
    "[::1]:80",
    "-a.example",
    "a-.example",
    "a..b",
    "256.1.1.1",
    "1.2.3.4.5",
  ];
  for (const text of [...texts, "a\0b", "a\nb", "[::1", "::1]", "fe80::1%eth0", "a%2eb", "x".repeat(64), "${a}"]) {
    assert.equal(readHost(text), undefined, JSON.stringify(text));
  }
  for (const text of ["a", "a-b.example", "a_b.example", "x".repeat(63)]) assert.ok(readHost(text), text);
});

test("a target is a host and a port", () => {
  assert.deepEqual(readTarget("a.example:443"), { host: "a.example", port: 443 });
  assert.deepEqual(readTarget("[::1]:22"), { host: "[::1]", port: 22 });
  for (const text of ["", "a", "a:", ":1", "a:0", "a:65536", "a:b", "::1:22", "a:1:2", "http://a:1", "a:-1"]) {
    assert.equal(readTarget(text), undefined, text);
  }
  assert.equal(hostForUrl("::1"), "[::1]");
  assert.equal(hostForUrl("a.example"), "a.example");
});
