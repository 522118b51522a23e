import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { v7 } from "uuid";
import type { Json } from "../../../contracts/formats/canonical-json.ts";
import { formatSecret, generateSecret } from "../../../contracts/identity/bearer-secret.ts";
import { Placeholders } from "./placeholders.ts";

const HOUR_MS = 3_600_000;
const KEPT = `sha256:${"5".repeat(64)}`;

interface Told {
  readonly one: {
    readonly account: { readonly id: string; readonly trace: string };
    readonly committedAt: string;
    readonly createdAt: string;
    readonly expiresAt: string;
    readonly kept: string;
    readonly note: string;
  };
  readonly two: {
    readonly items: readonly [Place, Place];
    readonly statement: string;
    readonly summary: string;
  };
}
interface Place {
  readonly position: number;
  readonly version: number;
}

/** What is told of two examples, as runs at different times would record them. */
function run(began: Date, { later = 0, first = 8 } = {}): Told {
  const [account, call] = [v7(), v7()];
  const at = (ms: number) => new Date(began.getTime() + ms).toISOString();
  const base64 = (bytes: number) => randomBytes(bytes).toString("base64");
  const secret = formatSecret("cs", { id: v7(), secret: generateSecret() });
  const examples: Readonly<Record<"one" | "two", Json>> = {
    one: {
      account: { id: account, trace: randomUUID() },
      createdAt: at(later),
      expiresAt: at(24 * HOUR_MS + later),
      committedAt: "2026-01-02T03:00:00.000Z",
      digest: randomBytes(32).toString("hex"),
      kept: KEPT,
      key: `-----BEGIN PUBLIC KEY-----\n${base64(44)}\n-----END PUBLIC KEY-----\n`,
      secret,
      note: `lane/${account}/commit/${first}\n1\n${base64(32)}\n`,
      token: { note: "x", ...(later > 0 && { lastUsedAt: at(later) }) },
    },
    two: {
      items: [
        { id: `${call}.outcome`, position: first + 3, version: 1 },
        { id: `${call}.intent`, position: first, version: 1 },
      ],
      statement: JSON.stringify({ account, nonce: randomBytes(16).toString("hex"), sequence: first }),
      inclusion: Array.from({ length: 1 + (first % 3) }, () => base64(32)),
      summary: `- ${first + 3} ${at(later)} outcome\n- ${first} ${at(later)} intent, version 1, hash ${randomBytes(6).toString("hex")}…`,
    },
  };
  const placeholders = new Placeholders({ began, kept: [KEPT] });
  const told = { one: placeholders.apply(examples.one), two: placeholders.apply(examples.two) };
  return told as unknown as Told;
}

test("two runs tell the same, though everything that may differ did", () => {
  const before = run(new Date("2026-03-04T05:06:07.089Z"));
  const after = run(new Date("2027-12-31T23:59:59.999Z"), { later: 4_321, first: 40 });
  assert.deepEqual(before, after);
});

test("an id keeps its placeholder, also inside of texts, and another id gets another one", () => {
  const { one, two } = run(new Date());
  const { id, trace } = one.account;
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.notEqual(id, trace);
  assert.equal(JSON.parse(two.statement).account, id);
  assert.ok(one.note.startsWith(`lane/${id}/`));
});

test("what is meant as it is stays, a fixed time too", () => {
  const { one, two } = run(new Date());
  assert.equal(one.committedAt, "2026-01-02T03:00:00.000Z");
  assert.equal(one.kept, KEPT);
  assert.equal(two.items[0].version, 1);
});

test("times keep how far they are apart, to the quarter of an hour; counts keep their order", () => {
  const { one, two } = run(new Date(), { later: 60_000 });
  assert.equal(Date.parse(one.expiresAt) - Date.parse(one.createdAt), 24 * HOUR_MS);
  const [outcome, intent] = two.items;
  assert.ok(outcome.position > intent.position);
  assert.ok(two.summary.startsWith(`- ${outcome.position} `));
});
