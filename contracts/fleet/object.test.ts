import assert from "node:assert/strict";
import { test } from "node:test";
import { desiredFleetObject } from "./object.ts";

const frame = { name: "web", labels: { team: "a" }, annotations: {} };
const digest = `sha256:${"0".repeat(64)}`;
const valid = {
  Template: { kind: "Template", ...frame, spec: { version: "1.2.3" } },
  Module: { kind: "Module", ...frame, spec: { version: "1.2.3", source: "https://example.com/m.tgz", digest } },
  Assignment: {
    kind: "Assignment",
    ...frame,
    spec: { template: "web", provider: "edge", selector: { env: "prod" } },
  },
  ProviderConfig: { kind: "ProviderConfig", ...frame, spec: { driver: "k8s", endpoint: "https://k8s.example" } },
} as const;
type Kind = keyof typeof valid;

/** The valid object with one value at `path` replaced. */
function altered(kind: Kind, path: string, value: unknown): unknown {
  const object = structuredClone(valid[kind]) as Record<string, unknown>;
  const names = path.split(".");
  const last = names.pop() ?? "";
  let at = object;
  for (const name of names) at = (at[name] ??= {}) as Record<string, unknown>;
  at[last] = value;
  return object;
}

for (const kind of Object.keys(valid) as Kind[])
  test(`a ${kind} is read`, () => assert.equal(desiredFleetObject.parse(valid[kind]).kind, kind));

test("what may be left out has a default", () => {
  const { labels: _, annotations: __, ...bare } = valid.Template;
  const { spec, labels, annotations } = desiredFleetObject.parse(bare);
  assert.deepEqual(
    { spec, labels, annotations },
    {
      spec: { version: "1.2.3", parameters: {}, modules: [] },
      labels: {},
      annotations: {},
    },
  );
});

const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, "v"]));
const parameter = (more: object) => ({ size: { type: "integer", ...more } });

/** Where, what is taken, what is not. */
const cases: readonly (readonly [Kind, path: string, accepted: readonly unknown[], refused: readonly unknown[]])[] = [
  ["Template", "kind", [], ["template", "Other", "", null]],
  ["Template", "name", ["a", "web-1", "a".repeat(63)], ["", "-a", "a-", "A", "a_b", "a.b", "a".repeat(64), "ü", "a\n"]],
  [
    "Template",
    "labels",
    [{}, { "example.com/tier": "" }, many(64)],
    [{ "-a": "x" }, { a: "x y" }, { a: 1 }, many(65), [], { "a/b/c": "x" }],
  ],
  ["Template", "annotations", [{ note: "any text, at length" }], [{ note: "x".repeat(4_097) }, { "": "x" }, many(65)]],
  [
    "Template",
    "spec.version",
    ["0.0.1", "1.2.3-rc.1"],
    ["1.2", "v1.2.3", "01.2.3", "1.2.3-01", "1.2.3-", "1.2.3+b", 1],
  ],
  [
    "Template",
    "spec.modules",
    [[], ["a", "b"]],
    [["a", "a"], ["A"], "a", Array.from({ length: 65 }, (_, i) => `m${i}`)],
  ],
  [
    "Template",
    "spec.parameters",
    [parameter({}), parameter({ default: 1 }), parameter({ enum: [1, 2], default: 2 })],
    [
      parameter({ default: "1" }),
      parameter({ default: 1.5 }),
      parameter({ enum: [1, "2"] }),
      parameter({ enum: [] }),
      parameter({ enum: [1, 2], default: 3 }),
      parameter({ type: "float" }),
      parameter({ hidden: true }),
      { "a-b": { type: "string" } },
    ],
  ],
  [
    "Module",
    "spec.source",
    ["ssh://git@example.com/m.git", "oci://registry.example/m", "git://example.com/m"],
    [
      "https://user:secret@example.com/m",
      "https://token@example.com/m",
      "https:user:secret@example.com/m",
      "HTTPS://user:secret@example.com/m",
      "https:\\\\user:secret@example.com/m",
      "ssh://git:secret@example.com/m",
      "http://example.com/m",
      "file:///etc/passwd",
      "m.tgz",
    ],
  ],
  [
    "Module",
    "spec.digest",
    [`sha256:${"f".repeat(64)}`],
    ["f".repeat(64), `sha256:${"F".repeat(64)}`, "sha256:f", `sha512:${"f".repeat(64)}`],
  ],
  ["Module", "spec.dependsOn", [["a", "b"]], [["a", "a"], [1]]],
  ["Assignment", "spec.selector", [{ env: "prod", zone: "a" }], [{}, { env: 1 }]],
  [
    "Assignment",
    "spec.parameters",
    [{ a: "x", b: 1, c: false }],
    [{ a: 1.5 }, { a: null }, { a: [] }, { a: 2 ** 53 }, { "1a": 1 }],
  ],
  ["Assignment", "spec.template", ["other"], ["Other", "", undefined]],
  [
    "ProviderConfig",
    "spec.endpoint",
    ["https://10.0.0.1:6443/api"],
    ["http://k8s.example", "https://admin@k8s.example", "https:admin@k8s.example"],
  ],
  ["ProviderConfig", "spec.secretRef", ["edge/admin", "edge"], ["", "a b", "s3cr3t!", "/edge"]],
  ["ProviderConfig", "spec.password", [], ["secret"]],
  ["ProviderConfig", "owner", [], ["a repository", null]],
  ["ProviderConfig", "version", [], [1]],
];

for (const [kind, path, accepted, refused] of cases) {
  test(`${kind}: ${path}`, () => {
    for (const value of accepted)
      assert.ok(desiredFleetObject.safeParse(altered(kind, path, value)).success, `taken: ${JSON.stringify(value)}`);
    for (const value of refused) {
      const { error } = desiredFleetObject.safeParse(altered(kind, path, value));
      const issue = error?.issues[0];
      const where = issue?.code === "unrecognized_keys" ? [...issue.path, ...issue.keys] : (issue?.path ?? []);
      assert.ok(
        `${where.join(".")}.`.startsWith(`${path}.`),
        `refused there: ${JSON.stringify(value)} (${where.join(".")})`,
      );
    }
  });
}
