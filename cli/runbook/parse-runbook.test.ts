import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubError } from "../../server/errors.ts";
import { parseRunbook } from "./parse-runbook.ts";
import { block, FIRST_LINE, parsed } from "./test-runbook.ts";

const READ = block("tool", "call: system_identity_whoami");

/** The lines of the faults of a runbook that cannot be read. */
function faultLines(read: () => unknown): number[] {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof HubError);
    assert.equal(error.code, "RUNBOOK_INVALID");
    const { faults } = error.details as { faults: { line: number }[] };
    return faults.map(({ line }) => line);
  }
  return [];
}

describe("a runbook", () => {
  test("has its blocks as steps, with the heading and the prose that they stand under", () => {
    const runbook = parsed(
      "# Trial\n",
      "Some words.\n\nMore of them.\n",
      READ,
      "## Second\n",
      block("countersign", "status --all"),
      block("manual", "do: Look at it."),
      "The end.\n",
    );
    assert.deepEqual(
      runbook.steps.map(({ number, phase, words, work }) => [number, phase, words.map(({ text }) => text), work.kind]),
      [
        [1, "Trial", ["Trial", "Some words.", "More of them."], "tool"],
        [2, "Second", ["Second"], "countersign"],
        [3, "Second", [], "manual"],
      ],
    );
    assert.deepEqual(runbook.lastWords, [{ heading: false, text: "The end." }]);
    assert.equal(runbook.head.inputs.length, 2);
  });

  test("knows the line of each block, and of what stands in it", () => {
    const runbook = parsed(
      "Words\nand words.\n",
      READ,
      "- a list\n- of two\n",
      block("tool", "call: x\ninput:\n  a: 1"),
    );
    assert.deepEqual(
      runbook.steps.map(({ line }) => line),
      [FIRST_LINE + 3, FIRST_LINE + 10],
    );
    assert.equal(runbook.steps[1]?.lineOf(["input", "a"]), FIRST_LINE + 13);
    assert.equal(runbook.steps[1]?.lineOf(["expect"]), FIRST_LINE + 11);
  });

  test("has the same lines where they end as on Windows", () => {
    const unix = `---\ntitle: T\npurpose: P\n---\n\nWords\n\n${READ}`;
    const windows = parseRunbook("x.md", "x", unix.replaceAll("\n", "\r\n"));
    assert.deepEqual(windows.steps[0]?.line, parseRunbook("x.md", "x", unix).steps[0]?.line);
  });

  test("keeps other fenced blocks as prose", () => {
    const runbook = parsed(block("sh", "ls"), READ);
    assert.equal(runbook.steps.length, 1);
    assert.match(runbook.steps[0]?.words[0]?.text ?? "", /```sh/);
  });

  test("marks what is for drills alone", () => {
    const steps = parsed(block("tool drill", "call: x"), READ).steps;
    assert.deepEqual(
      steps.map(({ drillOnly }) => drillOnly),
      [true, false],
    );
  });

  test("gives a command its exit code and its expectations", () => {
    const [plain, full] = parsed(
      block("countersign", "backup verify '{{module}} x' --passphrase-file {{ module }}"),
      block(
        "countersign",
        "npx countersign status\n---\nexit: 6\nexpect: { output: { ok: false } }\ncapture: { name: a.b }",
      ),
    ).steps.map(({ work }) => (work.kind === "countersign" ? work.command : assert.fail()));
    assert.deepEqual(plain?.words, ["backup", "verify", "{{module}} x", "--passphrase-file", "{{module}}"]);
    assert.equal(plain?.exit, 0);
    assert.deepEqual(full, {
      words: ["status"],
      exit: 6,
      expect: { output: { ok: false } },
      capture: { name: "a.b" },
    });
  });

  test("is refused with the line of every fault", () => {
    const cases: [string, number][] = [
      [block("tool", "call: x\nspeed: 9"), 1],
      [block("tool", "call: x\ninput: {{module}}"), 2],
      [block("tool", "call: x\ncall: y"), 2],
      [block("tool", "call: x\ninput: &a { b: 1 }\nuntil: *a"), 1],
      [block("tool", "call: x\nwithin: 0"), 2],
      [block("tool", "call: x\nuntil: { a: { atLeest: 1 } }"), 2],
      [block("tool real", "call: x"), 0],
      [block("countersign", "status | head"), 1],
      [block("countersign", "status 'x"), 1],
      [block("countersign", "status\nstatus"), 2],
      [block("countersign", "status\n---\nexit: x"), 3],
      [block("manual", "do: x\ndrill: { run: 'a; b' }"), 2],
      [block("manual", "drill: { call: x }"), 1],
      [`> ${block("tool", "call: x").replaceAll("\n", "\n> ")}`, 0],
    ];
    for (const [text, line] of cases)
      assert.deepEqual(
        faultLines(() => parsed(text, READ)),
        [FIRST_LINE + line],
        text,
      );
  });

  test("is refused without a head, a title, or a step", () => {
    assert.deepEqual(
      faultLines(() => parseRunbook("x.md", "x", READ)),
      [1],
    );
    assert.deepEqual(
      faultLines(() => parseRunbook("x.md", "x", `---\npurpose: P\n---\n${READ}`)),
      [2],
    );
    assert.deepEqual(
      faultLines(() => parseRunbook("x.md", "x", "---\ntitle: T\npurpose: P\n---\nWords\n")),
      [5],
    );
    assert.deepEqual(
      faultLines(() => parseRunbook("x.md", "x", `---\ntitle: T\npurpose: P\n---\n${READ}`)),
      [],
    );
  });

  test("asks for no secret, and for no input twice", () => {
    const asking = (...names: string[]) =>
      parseRunbook(
        "x.md",
        "x",
        `---\ntitle: T\npurpose: P\ninputs:\n${names.map((name) => `  - { name: ${name}, description: d }\n`).join("")}---\n${READ}`,
      );
    assert.deepEqual(
      faultLines(() => asking("passphrase")),
      [5],
    );
    assert.deepEqual(
      faultLines(() => asking("vaultToken")),
      [5],
    );
    assert.deepEqual(
      faultLines(() => asking("a", "a")),
      [5],
    );
    assert.deepEqual(
      faultLines(() => asking("passphraseFile", "a")),
      [],
    );
  });
});
