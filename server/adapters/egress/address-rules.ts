/**
 * Which IP addresses the hub connects to by itself: public ones. Everything that the IANA special-purpose registries
 * (IPv4 and IPv6, RFC 6890 and later), multicast and reserved space set apart is refused, and so is an IPv6 form that
 * carries such an IPv4 address inside. In IPv6 only 2000::/3 is given out at all: what lies elsewhere is not public.
 */
import { BlockList, isIPv4, isIPv6 } from "node:net";

type Range = readonly [address: string, prefix: number, name: string];

const IPV4: readonly Range[] = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "carrier-grade NAT"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "link-local, where clouds serve metadata"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "protocol assignments"],
  ["192.0.2.0", 24, "documentation"],
  ["192.31.196.0", 24, "AS112"],
  ["192.52.193.0", 24, "multicast tunnelling"],
  ["192.88.99.0", 24, "6to4 relays"],
  ["192.168.0.0", 16, "private"],
  ["192.175.48.0", 24, "AS112"],
  ["198.18.0.0", 15, "benchmarking"],
  ["198.51.100.0", 24, "documentation"],
  ["203.0.113.0", 24, "documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved"],
  // Azure answers its virtual machines from this one, and it is in no registry
  ["168.63.129.16", 32, "a cloud's own services"],
];

const IPV6: readonly Range[] = [
  ["::", 128, "unspecified"],
  ["::1", 128, "loopback"],
  ["64:ff9b:1::", 48, "private translation"],
  ["100::", 64, "discard"],
  ["2001::", 23, "protocol assignments"],
  ["2001:db8::", 32, "documentation"],
  ["2620:4f:8000::", 48, "AS112"],
  ["3fff::", 20, "documentation"],
  ["5f00::", 16, "segment routing"],
  ["fc00::", 7, "unique local"],
  ["fe80::", 10, "link-local"],
  ["fec0::", 10, "site-local"],
  ["ff00::", 8, "multicast"],
];

/** IPv6 forms that a translator or tunnel delivers to an IPv4 address: which of its 16-bit words hold that. */
const EMBEDDED: readonly { range: Range; at: number }[] = [
  { range: ["::", 96, "IPv4-compatible"], at: 6 },
  { range: ["::ffff:0:0", 96, "IPv4-mapped"], at: 6 },
  { range: ["::ffff:0:0:0", 96, "IPv4-translated"], at: 6 },
  { range: ["64:ff9b::", 96, "NAT64"], at: 6 },
  { range: ["2002::", 16, "6to4"], at: 1 },
];

const matcher = (family: "ipv4" | "ipv6", [address, prefix]: Range) => {
  const list = new BlockList();
  list.addSubnet(address, prefix, family);
  return (candidate: string) => list.check(candidate, family);
};
const named = (family: "ipv4" | "ipv6", ranges: readonly Range[]) =>
  ranges.map((range) => ({ name: range[2], holds: matcher(family, range) }));
const ipv4Ranges = named("ipv4", IPV4);
const ipv6Ranges = named("ipv6", IPV6);
const embedded = EMBEDDED.map(({ range, at }) => ({ name: range[2], at, holds: matcher("ipv6", range) }));
const globalUnicast = matcher("ipv6", ["2000::", 3, "global unicast"]);

/**
 * What keeps the hub from connecting to an address, in a word or two; undefined for a public one. A text that is no
 * plain IPv4 or IPv6 address, one with a zone (`fe80::1%eth0`) included, is not public.
 */
export function whyNotPublic(address: string): string | undefined {
  if (isIPv4(address)) return ipv4Ranges.find(({ holds }) => holds(address))?.name;
  if (!isIPv6(address) || address.includes("%")) return "not an address";
  const special = ipv6Ranges.find(({ holds }) => holds(address));
  if (special) return special.name;
  const form = embedded.find(({ holds }) => holds(address));
  if (form) {
    const inner = whyNotPublic(ipv4At(address, form.at));
    // a mapped address is the IPv4 one itself; the others are delivered by whoever runs a translator: never on trust
    return form.name === "IPv4-mapped" || form.name === "NAT64" ? inner && `${form.name}, ${inner}` : form.name;
  }
  return globalUnicast(address) ? undefined : "reserved";
}

function ipv4At(address: string, word: number): string {
  const [high = 0, low = 0] = wordsOf(address).slice(word, word + 2);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The eight 16-bit words of an IPv6 address, whatever way it is written. */
function wordsOf(address: string): number[] {
  // the URL parser writes every spelling, also with a dotted end, in the short form of RFC 5952
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16)));
  const first = words(head);
  if (tail === undefined) return first;
  const last = words(tail);
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}
