import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { MAX_OBJECTS } from "../../../contracts/gitops/fleet-document.ts";
import { HubError } from "../../errors.ts";
import type { DesiredStateProblem } from "./desired-state.ts";
import { desiredStateInvalid, includesOf, placeOf, problemAt, readDesiredState } from "./read-fleet-file.ts";

interface Case {
  readonly name: string;
  readonly accept: string;
  readonly reject: string;
  readonly at: string;
  readonly path: string;
  readonly faults?: number;
  readonly whole?: boolean;
}

const cases: Case[] = parse(readFileSync(new URL("testdata/fleet-files.yaml", import.meta.url), "utf8"));
const HEAD = "apiVersion: countersign/v1\nkind: Fleet\n";
const DIGEST = `sha256:${"0".repeat(64)}`;

const read = (...texts: string[]) =>
  readDesiredState(texts.map((text, i) => ({ path: i === 0 ? "fleet.yaml" : `more/${i}.yaml`, text })));

/** The problems of files that must be refused, with the error itself. */
function refusal(...texts: string[]): { error: HubError; problems: DesiredStateProblem[]; more: number } {
  try {
    read(...texts);
  } catch (error) {
    assert.ok(error instanceof HubError && error.code === "DESIRED_STATE_INVALID", String(error));
    const { problems, more } = error.details as { problems: DesiredStateProblem[]; more: number };
    return { error, problems, more };
  }
  return assert.fail("taken");
}

const places = (problems: readonly DesiredStateProblem[]) =>
  problems.map(({ file, line, column, path }) => `${file}:${line}:${column} ${path}`);

suite("one file", () => {
  for (const { name, accept, reject, at, path, faults = 1, whole = false } of cases)
    test(name, () => {
      const head = whole ? "" : HEAD;
      read(head + accept);
      const { error, problems } = refusal(head + reject);
      assert.equal(places(problems)[0], `fleet.yaml:${at} ${path}`);
      assert.equal(problems.length, faults);
      assert.ok(error.message.startsWith(`fleet.yaml:${at}${path && ` ${path}`}: ${problems[0]?.message}`));
      assert.ok(!JSON.stringify([error.message, problems]).includes("hunter2"));
    });

  test("all its faults are told, in the order of the text", () => {
    const { problems } = refusal(`${HEAD}modules: 1\nkinds: []\ntemplates: [{ name: A }]\n`);
    assert.deepEqual(places(problems), [
      "fleet.yaml:3:10 modules",
      "fleet.yaml:4:1 kinds",
      "fleet.yaml:5:13 templates[0].spec",
      "fleet.yaml:5:21 templates[0].name",
    ]);
  });

  test("of many faults fifty are told and the others counted", () => {
    const { problems, more, error } = refusal(`${HEAD}modules: [${"1, ".repeat(70)}]\n`);
    assert.deepEqual([problems.length, more], [50, 20]);
    assert.match(error.message, /\(and 69 more\)$/);
    assert.equal(refusal(`${HEAD}modules: [1]\n`).more, 0);
  });

  test("a name that is a credential is not told, wherever the fault is", () => {
    const name = `ghp_${"aB3".repeat(12)}`;
    for (const body of [`${name}: 1\n`, `${name}: 1\n${name}: 2\n`, `modules: [{ name: { ${name}: 1 } }]\n`]) {
      const { error, problems } = refusal(HEAD + body);
      assert.ok(!JSON.stringify([error.message, problems]).includes(name));
    }
  });
});

suite("several files", () => {
  const template = (name: string) => `templates: [{ name: ${name}, spec: { version: 1.0.0 } }]\n`;
  const module = (name: string, ...needs: string[]) =>
    `  - { name: ${name}, spec: { version: 1.0.0, source: "https://m.example/m", digest: "${DIGEST}", dependsOn: [${needs.join(", ")}] } }\n`;

  test("are one fleet, by kind, then name, whatever their order", () => {
    const texts = [
      HEAD + template("web"),
      `${HEAD}providerConfigs: [{ name: edge, spec: { driver: k8s, endpoint: https://e.example } }]\n${template("a-2")}`,
      `${HEAD}modules:\n${module("z", "a")}${module("a")}${template("a1")}`,
    ] as const;
    const { objects } = read(...texts);
    assert.deepEqual(
      objects.map(({ object, path, file, line }) => `${object.kind}/${object.name} ${file}:${line} ${path}`),
      [
        "Module/a more/2.yaml:5 modules[1]",
        "Module/z more/2.yaml:4 modules[0]",
        "ProviderConfig/edge more/1.yaml:3 providerConfigs[0]",
        "Template/a-2 more/1.yaml:4 templates[0]",
        "Template/a1 more/2.yaml:6 templates[0]",
        "Template/web fleet.yaml:3 templates[0]",
      ],
    );
    const names = (all: readonly { object: { name: string } }[]) => all.map(({ object }) => object.name);
    assert.deepEqual(names(read(texts[2], texts[0], texts[1]).objects), names(objects));
    assert.deepEqual(objects[5]?.object, {
      kind: "Template",
      name: "web",
      labels: {},
      annotations: {},
      spec: { version: "1.0.0", parameters: {}, modules: [] },
    });
  });

  test("declare each object once, and the error names both places", () => {
    const { problems, error } = refusal(HEAD + template("web"), `${HEAD}# again\n${template("web")}`);
    assert.deepEqual(places(problems), ["more/1.yaml:4:13 templates[0]"]);
    assert.match(error.message, /fleet\.yaml:3:13/);
    read(HEAD + template("web"), HEAD + template("web-2"));
  });

  test("have modules that do not depend on themselves, by whatever way", () => {
    const { problems } = refusal(
      `${HEAD}modules:\n${module("a", "x", "b")}`,
      `${HEAD}modules:\n${module("b", "c")}${module("c", "a")}`,
    );
    assert.deepEqual(places(problems), ["more/1.yaml:5:166 modules[1].spec.dependsOn[0]"]);
    assert.match(problems[0]?.message ?? "", /a -> b -> c -> a/);
    assert.equal(refusal(`${HEAD}modules:\n${module("a", "a")}`).problems.length, 1);
    assert.equal(
      refusal(`${HEAD}modules:\n${module("a", "b", "c")}${module("b", "a")}${module("c", "a")}`).problems.length,
      2,
    );
    read(`${HEAD}modules:\n${module("a", "b", "c")}${module("b", "d")}${module("c", "d")}${module("d", "elsewhere")}`);
    const chain = Array.from({ length: 3_000 }, (_, i) => module(`m${i}`, `m${i + 1}`)).join("");
    read(`${HEAD}modules:\n${chain}`);
    refusal(`${HEAD}modules:\n${chain}${module("m3000", "m0")}`);
  });

  test("include others from the root file alone", () => {
    const including = `${HEAD}include: [more/*.yaml]\n`;
    read(including, HEAD);
    assert.deepEqual(places(refusal(HEAD, including).problems), ["more/1.yaml:3:1 include"]);
  });

  test("are told apart in what is wrong with them", () => {
    const { problems } = refusal(
      `${HEAD}a: [\n`,
      `${HEAD}password: hunter2\nmodules: 1\n`,
      `${HEAD}modules: 1\n`,
      HEAD,
    );
    assert.deepEqual(
      problems.map(({ file }) => file),
      ["fleet.yaml", "more/1.yaml", "more/2.yaml"],
    );
  });

  test(`hold ${MAX_OBJECTS} objects, and not one more`, () => {
    const file = (from: number, to: number) =>
      `${HEAD}templates:\n${Array.from({ length: to - from }, (_, i) => `- {name: t${from + i}, spec: {version: 1.0.0}}\n`).join("")}`;
    assert.equal(read(file(0, 2_000), file(2_000, MAX_OBJECTS)).objects.length, MAX_OBJECTS);
    const { problems } = refusal(file(0, 2_000), file(2_000, MAX_OBJECTS + 1));
    assert.deepEqual(places(problems), [`more/1.yaml:${MAX_OBJECTS - 2_000 + 4}:3 templates[${MAX_OBJECTS - 2_000}]`]);
    const spread = `${file(0, MAX_OBJECTS)}providerConfigs: [{}]\n`;
    assert.deepEqual(places(refusal(spread).problems), [`fleet.yaml:${MAX_OBJECTS + 4}:19 providerConfigs[0]`]);
  });
});

test("the root file says what it includes, where it can be read at all", () => {
  assert.deepEqual(includesOf(`${HEAD}include: [a.yaml, "b/*.yaml"]\nmodules: 5\n`), ["a.yaml", "b/*.yaml"]);
  assert.deepEqual(includesOf(`${HEAD}"incl\\u0075de": [a.yaml]\n`), ["a.yaml"]);
  for (const none of [
    "",
    HEAD,
    `${HEAD}include: a\n`,
    `${HEAD}include: [../a]\n`,
    "include: [a]\ninclude: [b]\n",
    "include: [",
    "- include",
  ])
    assert.deepEqual(includesOf(none), [], none);
});

test("a field of a declared object has its place", () => {
  const { objects } = read(
    `${HEAD}assignments:\n  - name: web\n    labels:\n      example.com/tier: a\n    spec:\n      template: web\n      provider: edge\n      selector: { env: prod }\n`,
  );
  const [declared] = objects;
  assert.ok(declared);
  const at = (path: string) => placeOf(declared, path);
  assert.deepEqual(at("object"), { file: "fleet.yaml", line: 4, column: 5 });
  assert.deepEqual(at("object.spec.template"), { file: "fleet.yaml", line: 8, column: 17 });
  assert.deepEqual(at('object.labels["example.com/tier"]'), { file: "fleet.yaml", line: 6, column: 25 });
  assert.deepEqual(at("object.spec.parameters.size"), { file: "fleet.yaml", line: 8, column: 7 });
  const problem = problemAt(declared, "object.spec.provider", "there is no ProviderConfig/edge");
  assert.deepEqual(places([problem]), ["fleet.yaml:9:17 assignments[0].spec.provider"]);
  assert.deepEqual(desiredStateInvalid([problem]).details, { problems: [problem], more: 0 });
  assert.deepEqual(placeOf({ ...declared }, "object.spec"), { file: "fleet.yaml", line: 4, column: 5 });
});

test("the example in the manual is a fleet", () => {
  const page = readFileSync(new URL("../../../docs/FLEET_FILE.md", import.meta.url), "utf8");
  const examples = Array.from(page.matchAll(/^```yaml\n(.*?)^```$/gms), ([, text = ""]) => text);
  const [root = "", ...included] = examples;
  assert.deepEqual(includesOf(root), ["fleet/**/*.yaml"]);
  assert.deepEqual(
    read(root, ...included).objects.map(({ object }) => `${object.kind}/${object.name}`),
    ["Assignment/web-prod", "Module/base", "Module/nginx", "ProviderConfig/edge", "Template/web"],
  );
});

suite("whatever a file holds", () => {
  const page = readFileSync(new URL("../../../docs/FLEET_FILE.md", import.meta.url), "utf8");
  const valid = /^```yaml\n(.*?)^```$/ms.exec(page)?.[1] ?? "";
  const settings = { seed: 20_261_125, numRuns: 300 };

  /** Taken, or refused with places that lie in the text. */
  function survives(text: string): void {
    try {
      read(text);
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== "DESIRED_STATE_INVALID") throw error;
      const lines = text.split("\n");
      for (const { line, column } of (error.details as { problems: DesiredStateProblem[] }).problems)
        assert.ok(line >= 1 && line <= lines.length && column >= 1 && column <= (lines[line - 1] ?? "").length + 1);
    }
    includesOf(text);
  }

  test("random text is taken or refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        survives(text);
        survives(HEAD + text);
      }),
      settings,
    );
  });

  test("a file that was changed in some places is taken or refused", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ..."{}[],:-?&*!|>'\"%@`#\t\n \0".split(""),
        "- ",
        ": ",
        "&a ",
        "*a",
        "<<: ",
        "__proto__: ",
        "\n---\n",
        "\ufeff",
      ),
      fc.string({ maxLength: 5 }),
    );
    const edit = fc.record({ at: fc.nat(valid.length), cut: fc.nat(20), insert: piece });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        survives(edits.reduce((text, { at, cut, insert }) => text.slice(0, at) + insert + text.slice(at + cut), valid));
      }),
      settings,
    );
  });

  test("any plain value instead of a fleet is taken or refused", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(
        value,
        fc.constantFrom("templates", "modules", "assignments", "providerConfigs", "include"),
        (json, list) => {
          survives(JSON.stringify(json));
          survives(JSON.stringify({ apiVersion: "countersign/v1", kind: "Fleet", [list]: json }));
          survives(
            JSON.stringify({ apiVersion: "countersign/v1", kind: "Fleet", [list]: [{ name: "a", spec: json }] }),
          );
        },
      ),
      settings,
    );
  });
});
