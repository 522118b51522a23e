import type { Random } from "./random.ts";

/** Texts that something somewhere may take for more than a text. */
const TEXTS = [
  "",
  " ",
  "a".repeat(300),
  "a".repeat(70_000),
  "null",
  "../../etc/passwd",
  "__proto__",
  "constructor",
  "{{7*7}}",
  "'; drop table receipt; --",
  "\u0000",
  "\u202eevil",
  "\u{1f600}",
  "%00%2e%2e%2f",
  "<script>alert(1)</script>",
  "\r\nX-Injected: 1",
  "2026-07-28",
  "=?base64?AAAA?=",
  "countersign://receipts/none.outcome",
  "9".repeat(40),
];
const NUMBERS = [0, -0, -1, 1, 1.5, 1e21, -1e308, 2 ** 31, 2 ** 53, Number.MAX_SAFE_INTEGER, 5e-324];
/** What JSON.stringify would never write. */
const RAW = [
  '{"a":1,"a":2}',
  '"\\ud800"',
  "1e999",
  "01",
  "[1,]",
  "NaN",
  "{",
  "\u00a0",
  '{"__proto__":{"x":1}}',
  "\ufeff{}",
];

export function anyValue(random: Random, depth = 0): unknown {
  const kind = random.below(depth > 4 ? 5 : 8);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.of(NUMBERS);
  if (kind === 3) return random.of(TEXTS);
  if (kind === 4) return random.uuid();
  if (kind === 5) return Array.from({ length: random.below(5) }, () => anyValue(random, depth + 1));
  if (kind === 6) return nested(random.below(200), anyValue(random, 5));
  return Object.fromEntries(
    Array.from({ length: random.below(5) }, () => [random.of(TEXTS).slice(0, 40), anyValue(random, depth + 1)]),
  );
}

function nested(levels: number, value: unknown): unknown {
  let whole = value;
  for (let n = 0; n < levels; n++) whole = n % 2 === 0 ? { a: whole } : [whole];
  return whole;
}

/** The same with a few of its parts, wherever they are, changed, doubled, renamed or gone. */
export function mutated(random: Random, value: unknown): unknown {
  const changes = 1 + random.below(3);
  let whole = structuredClone(value);
  for (let n = 0; n < changes; n++) whole = changedOnce(random, whole);
  return whole;
}

function changedOnce(random: Random, value: unknown): unknown {
  if (!(value instanceof Object) || random.chance(0.1)) return anyValue(random);
  const entries = Object.entries(value);
  if (entries.length === 0 || random.chance(0.15))
    return Object.fromEntries([...entries, [random.of(TEXTS).slice(0, 40), anyValue(random)]]);
  const at = random.below(entries.length);
  const [key, old] = entries[at] as [string, unknown];
  const changed = random.weighed<() => [string, unknown][]>([
    [6, () => [[key, changedOnce(random, old)]]],
    [2, () => []],
    [2, () => [[key, anyValue(random)]]],
  ])();
  const all = [...entries.slice(0, at), ...changed, ...entries.slice(at + 1)];
  return Array.isArray(value) ? all.map(([, item]) => item) : Object.fromEntries(all);
}

/** As text that may be no JSON any more. */
export function spoiltText(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.of(RAW) + text.slice(random.chance(0.5) ? at : Math.min(text.length, at + 5));
}

/** Bytes flipped, put in, taken out, said twice or cut off. */
export function spoiltBytes(random: Random, bytes: Buffer): Buffer {
  let whole = bytes;
  const changes = 1 + random.below(6);
  for (let n = 0; n < changes; n++) {
    const at = random.below(whole.length + 1);
    const until = Math.min(whole.length, at + 1 + random.below(20));
    const [before, cut, after] = [whole.subarray(0, at), whole.subarray(at, until), whole.subarray(until)];
    const junk = Buffer.from(Array.from({ length: 1 + random.below(4) }, () => random.below(256)));
    const kind = random.below(6);
    if (kind === 0) whole = Buffer.concat([before, junk, cut, after]);
    else if (kind === 1) whole = Buffer.concat([before, after]);
    else if (kind === 2) whole = Buffer.concat([before, cut, cut, after]);
    else if (kind === 3)
      whole = Buffer.concat([
        before,
        Buffer.from(random.of(["\r\n", "\n", "\r\n\r\n", "0\r\n\r\n", ":", " "])),
        cut,
        after,
      ]);
    else if (kind === 4 && random.chance(0.3)) whole = before;
    else whole = Buffer.concat([before, cut.map((byte) => byte ^ (1 << random.below(8))), after]);
  }
  return whole;
}

/** Headers in another order, doubled, without a value, with others beside them. */
export function spoiltHeaders(random: Random, headers: readonly string[]): string[] {
  const whole = [...headers];
  const changes = 1 + random.below(4);
  for (let n = 0; n < changes; n++) {
    const at = random.below(whole.length);
    const header = whole[at] ?? "X: y";
    const name = header.split(":", 1)[0] ?? "X";
    // how long a message is, is for the framing to spoil: a hub that waits for more is right
    if (/^(content-length|transfer-encoding|connection)$/i.test(name)) continue;
    const kind = random.below(7);
    if (kind === 0) whole.splice(at, 1);
    else if (kind === 1) whole.splice(at, 0, header);
    else if (kind === 2)
      whole[at] = `${name}: ${random
        .of(TEXTS)
        .replaceAll(/[\r\n\0]/g, "")
        .slice(0, 9_000)}`;
    else if (kind === 3) whole[at] = header.toUpperCase();
    else if (kind === 4) whole[at] = `${name}: ${String.fromCharCode(128 + random.below(128)).repeat(3)}`;
    else if (kind === 5) whole.push(random.of(STRANGE));
    else whole.push(...Array.from({ length: random.below(150) }, (_, i) => `X-${i}: ${i}`));
  }
  return whole;
}

const STRANGE = [
  "Origin: https://evil.example",
  "Host: evil.example",
  "Cookie: a=b",
  "X-Forwarded-For: 127.0.0.1",
  "X-Http-Method-Override: DELETE",
  "Mcp-Session-Id: 00000000-0000-4000-8000-000000000000",
  "Mcp-Param-Name: =?base64?!?=",
  "Last-Event-Id: 1",
  "Traceparent: 00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-01",
  "Idempotency-Key: a b",
  "Content-Encoding: gzip",
  "Accept: nothing/*;q=x",
  "Authorization: Basic YTpi",
  "Expect: 200-maybe",
  "TE: trailers",
  "Range: bytes=0-1",
];
