import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { EnumTypes } from "./enum-types.ts";
import { gatewayCall, gatewayInput } from "./fixtures/actions.ts";
import { policyInput } from "./policy-input.ts";

const declare = (shape: Record<string, z.core.SomeType>) =>
  policyInput("system_x_do_y", z.strictObject(shape), new EnumTypes());

test("shows every shape that Cedar can hold", () => {
  const { project } = policyInput(gatewayCall.name, gatewayCall.policyInput, new EnumTypes());
  const { input, maps } = project({ ...gatewayInput, undeclared: "stays out", day: "2026-11-20" });
  assert.deepEqual(input, {
    text: "x",
    count: 4,
    ratio: "0.5",
    dry: true,
    mode: { type: "SystemGatewayCallMode", id: "soft" },
    tags: { count: 2, items: ["a", "a"] },
    rows: { count: 1, items: [{ a: 1, labels: { type: "StringMap", id: "input.rows[0].labels" } }] },
    nested: { region: "eu" },
    labels: { type: "StringMap", id: "input.labels" },
    url: { href: "https://good.example/a?b=c", scheme: "https", host: "good.example", path: "/a" },
    ip: "10.1.2.3",
    at: "2026-11-20T10:00:00.000Z",
    day: "2026-11-20T00:00:00.000Z",
  });
  assert.deepEqual(
    maps.map(({ uid, tags }) => [uid, tags]),
    [
      [{ type: "StringMap", id: "input.rows[0].labels" }, { row: "one" }],
      [{ type: "StringMap", id: "input.labels" }, { env: "prod" }],
    ],
  );
});

test("numbers, times and addresses have one spelling", () => {
  const { project } = declare({
    n: z.number(),
    at: z.iso.datetime({ offset: true }),
    ip: z.ipv6(),
    url: z.url(),
  });
  const show = (n: number, at: string, ip: string, url: string) => project({ n, at, ip, url }).input;
  assert.deepEqual(show(-0, "2026-11-20T10:00:00Z", "::ffff:10.0.0.1", "https://HOST:8443"), {
    n: "0",
    at: "2026-11-20T10:00:00.000Z",
    ip: "10.0.0.1",
    url: { href: "https://host:8443/", scheme: "https", host: "host", path: "/", port: 8443 },
  });
  assert.deepEqual(show(1e21, "2026-11-20T10:00:00.5-01:00", "2001:DB8:0::1", "https://h:443/x"), {
    n: "1e+21",
    at: "2026-11-20T11:00:00.500Z",
    ip: "2001:db8::1",
    url: { href: "https://h/x", scheme: "https", host: "h", path: "/x" },
  });
});

test("absent and null are absent; a field named like one of Object's is data", () => {
  const { project } = declare({ owner: z.string().nullable(), note: z.string().optional(), constructor: z.string() });
  assert.deepEqual(project({ owner: null, constructor: "c" }).input, { constructor: "c" });
  assert.deepEqual(project({ owner: "o", note: "n", constructor: "c" }).input, {
    owner: "o",
    note: "n",
    constructor: "c",
  });
  assert.throws(() => project({ owner: "o" }), TypeError); // the inherited constructor is no field
});

test("an input that does not fit is refused without its values", () => {
  const { project } = declare({ count: z.int(), tags: z.array(z.string()), labels: z.record(z.string(), z.string()) });
  const fits = { count: 1, tags: [], labels: {} };
  assert.deepEqual(project(fits).input, {
    count: 1,
    tags: { count: 0, items: [] },
    labels: { type: "StringMap", id: "input.labels" },
  });
  const misfits: [string, object][] = [
    ["input.count", { ...fits, count: "hunter2" }],
    ["input.count", { ...fits, count: 2 ** 53 }],
    ["input.count", { tags: [], labels: {} }],
    ["input.tags[1]", { ...fits, tags: ["a", 2] }],
    ["input.tags", { ...fits, tags: { length: 1 } }],
    ["input.labels", { ...fits, labels: { a: 1 } }],
    ["input.labels", { ...fits, labels: ["a"] }],
    ["input", []],
  ];
  for (const [path, misfit] of misfits) {
    const message = `${path} does not fit what the action declares for policies`;
    assert.throws(() => project(misfit as never), { name: "TypeError", message });
  }
});

test("what Cedar cannot hold is refused when it is declared", () => {
  const recursive: z.ZodObject = z.strictObject({
    get next() {
      return recursive.optional();
    },
  });
  const refused: [string, z.core.SomeType][] = [
    ["a union", z.union([z.string(), z.int()])],
    [
      "a union",
      z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("a") }),
        z.strictObject({ kind: z.literal("b"), x: z.int() }),
      ]),
    ],
    ["an open map", z.record(z.string(), z.int())],
    ["an object with unknown fields", z.looseObject({ a: z.int() })],
    ["any value", z.unknown()],
    ["a tuple", z.tuple([z.string()])],
    ["a recursive type", recursive],
    ["an enum of other than strings", z.literal(3)],
    ["absent, null and set are three states", z.string().nullish()],
    ["a range of addresses", z.cidrv4()],
    ["a name that is no identifier", z.strictObject({ "a.b": z.string() })],
    ["a name that is no identifier", z.strictObject({ __entity: z.string() })],
    ["cannot be represented", z.bigint()],
    ["cannot be represented", z.date()],
  ];
  for (const [why, type] of refused) {
    assert.throws(
      () => declare({ field: type }),
      (error) =>
        error instanceof TypeError &&
        error.message.includes(why) &&
        error.message.includes("declare what policies may see"),
      why,
    );
  }
});

test("an enum with an id is one type for all, and keeps its values", () => {
  const enums = new EnumTypes();
  const kind = (values: [string, ...string[]]) => z.strictObject({ kind: z.enum(values).meta({ id: "PlayKind" }) });
  policyInput("system_a_do_b", kind(["x", "y"]), enums);
  policyInput("system_c_do_d", z.strictObject({ kinds: z.array(kind(["x", "y"]).shape.kind) }), enums);
  const clash = z.enum(["x", "z"]);
  enums.declare("SystemEDoFKind", ["x", "y"]);
  assert.deepEqual(enums.entries().slice(0, 1), [["PlayKind", ["x", "y"]]]);
  assert.throws(() => policyInput("system_e_do_f", z.strictObject({ kind: clash }), enums), TypeError);
});
