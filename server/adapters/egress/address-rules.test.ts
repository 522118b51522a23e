import assert from "node:assert/strict";
import { test } from "node:test";
import { whyNotPublic } from "./address-rules.ts";

/** Each refused address with a neighbour that is public. */
const cases: readonly { name: string; refused: readonly string[]; accepted: readonly string[] }[] = [
  { name: "this network", refused: ["0.0.0.0", "0.255.255.255"], accepted: ["1.0.0.0"] },
  { name: "private, class A", refused: ["10.0.0.0", "10.255.255.255"], accepted: ["9.255.255.255", "11.0.0.0"] },
  {
    name: "carrier-grade NAT",
    refused: ["100.64.0.0", "100.127.255.255"],
    accepted: ["100.63.255.255", "100.128.0.0"],
  },
  { name: "loopback", refused: ["127.0.0.1", "127.255.255.254"], accepted: ["126.255.255.255", "128.0.0.1"] },
  { name: "link-local", refused: ["169.254.0.1", "169.254.255.255"], accepted: ["169.253.255.255", "169.255.0.0"] },
  { name: "metadata", refused: ["169.254.169.254", "168.63.129.16", "fd00:ec2::254"], accepted: ["168.63.129.17"] },
  { name: "private, class B", refused: ["172.16.0.0", "172.31.255.255"], accepted: ["172.15.255.255", "172.32.0.0"] },
  { name: "protocol assignments", refused: ["192.0.0.0", "192.0.0.255"], accepted: ["192.0.1.0"] },
  {
    name: "documentation",
    refused: ["192.0.2.1", "198.51.100.1", "203.0.113.255"],
    accepted: ["192.0.3.1", "198.51.101.1", "203.0.114.0"],
  },
  { name: "6to4 relays", refused: ["192.88.99.1"], accepted: ["192.88.98.1"] },
  {
    name: "private, class C",
    refused: ["192.168.0.0", "192.168.255.255"],
    accepted: ["192.167.255.255", "192.169.0.0"],
  },
  { name: "benchmarking", refused: ["198.18.0.0", "198.19.255.255"], accepted: ["198.17.255.255", "198.20.0.0"] },
  { name: "multicast", refused: ["224.0.0.1", "239.255.255.255"], accepted: ["223.255.255.255"] },
  { name: "reserved", refused: ["240.0.0.0", "255.255.255.255"], accepted: ["223.255.255.254"] },
  { name: "unspecified and loopback, IPv6", refused: ["::", "::1", "0:0:0:0:0:0:0:1"], accepted: ["2000::1"] },
  { name: "unique local", refused: ["fc00::1", "fdff:ffff::1"], accepted: ["2a00::1"] },
  { name: "link-local and site-local, IPv6", refused: ["fe80::1", "febf::1", "fec0::1"], accepted: ["2001:4860::1"] },
  { name: "multicast, IPv6", refused: ["ff00::1", "ff02::1"], accepted: ["2606:4700::1"] },
  { name: "documentation, IPv6", refused: ["2001:db8::1", "3fff::1"], accepted: ["2001:db9::1", "3ffe::1"] },
  { name: "discard and segment routing", refused: ["100::1", "5f00::1"], accepted: ["2400::1"] },
  { name: "not given out", refused: ["4000::1", "1::1", "e000::1"], accepted: ["3ffe:ffff::1"] },
  {
    name: "IPv4-mapped",
    refused: ["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.1.2.3", "0:0:0:0:0:ffff:a9fe:a9fe"],
    accepted: ["::ffff:8.8.8.8", "::ffff:808:808"],
  },
  { name: "IPv4-compatible", refused: ["::127.0.0.1", "::7f00:1", "::8.8.8.8"], accepted: ["2001:200::7f00:1"] },
  { name: "IPv4-translated", refused: ["::ffff:0:127.0.0.1", "::ffff:0:808:808"], accepted: ["2001:200::1"] },
  {
    name: "NAT64",
    refused: ["64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808"],
    accepted: ["64:ff9b::8.8.8.8", "64:ff9b::808:808"],
  },
  { name: "6to4", refused: ["2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1"], accepted: ["2003::1"] },
  { name: "Teredo", refused: ["2001:0:7f00:1::", "2001::1"], accepted: ["2001:200::1"] },
];

for (const { name, refused, accepted } of cases) {
  test(`${name} is no public address; its neighbour is`, () => {
    for (const address of refused) assert.ok(whyNotPublic(address), `${address} was taken for public`);
    for (const address of accepted) assert.equal(whyNotPublic(address), undefined, address);
  });
}

test("what is no plain address is not public", () => {
  for (const text of [
    "",
    "localhost",
    "127.1",
    "2130706433",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "1.2.3.4.5",
    " 8.8.8.8",
  ]) {
    assert.ok(whyNotPublic(text), JSON.stringify(text));
  }
  assert.equal(whyNotPublic("8.8.8.8"), undefined);
});
