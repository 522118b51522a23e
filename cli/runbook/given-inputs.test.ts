import assert from "node:assert/strict";
import { test } from "node:test";
import { runbookHead } from "../../contracts/runbooks/runbook-head.ts";
import type { HubError } from "../../server/errors.ts";
import { filledWords } from "./command-line.ts";
import { checkInputs, foreseenInputs, givenInputs } from "./given-inputs.ts";
import { LATER } from "./placeholders.ts";

const head = (...inputs: object[]) =>
  runbookHead.parse({ title: "T", purpose: "P", inputs: inputs.map((input) => ({ description: "d", ...input })) });

const HEAD = head(
  { name: "file" },
  { name: "minutes", type: "integer", default: 5 },
  { name: "deep", type: "boolean", default: false },
);
const given = (...sets: string[]) => Object.fromEntries(givenInputs(HEAD, sets));

test("inputs are given, typed, or have their defaults", () => {
  assert.deepEqual(given("file=a=b"), { file: "a=b", minutes: 5, deep: false });
  assert.deepEqual(given("file=", "minutes=-7", "deep=true"), { file: "", minutes: -7, deep: true });
});

test("inputs that are missing, unknown, given twice or of another type are refused", () => {
  for (const sets of [
    [],
    ["file=x", "fil=y"],
    ["file=x", "file=y"],
    ["file=x", "minutes=1.5"],
    ["file=x", "deep=yes"],
    ["file"],
  ])
    assert.throws(() => given(...sets), { code: "INPUT_INVALID" }, sets.join());
});

test("where several are missing all are named, and none is the place; where one is, it is", () => {
  const refusal = (...inputs: object[]) => {
    const refused = (error: HubError) => {
      assert.equal(error.code, "INPUT_INVALID");
      found = [error.path, error.details];
      return true;
    };
    let found: unknown;
    assert.throws(() => givenInputs(head(...inputs), []), refused);
    return found;
  };
  assert.deepEqual(refusal({ name: "one" }, { name: "two" }), [undefined, { missing: ["one", "two"] }]);
  assert.deepEqual(refusal({ name: "one" }, { name: "two", default: "x" }), ["one", { missing: ["one"] }]);
});

test("what is missing is not known yet where nothing is done; what is wrong is refused all the same", () => {
  assert.deepEqual(
    [...foreseenInputs(HEAD, ["deep=true"])],
    [
      ["minutes", 5],
      ["deep", true],
      ["file", LATER],
    ],
  );
  assert.deepEqual(Object.fromEntries(foreseenInputs(HEAD, ["file=x"])), given("file=x"));
  for (const wrong of ["fil=y", "deep=yes", "file=AGE-SECRET-KEY-1QQ"])
    assert.throws(() => foreseenInputs(HEAD, [wrong]), { code: "INPUT_INVALID" }, wrong);
});

test("a secret is no input", () => {
  const token = `cs_${"0".repeat(32)}_${"A".repeat(43)}`;
  for (const secret of [token, "-----BEGIN OPENSSH PRIVATE KEY-----", "AGE-SECRET-KEY-1QQ"])
    assert.throws(
      () => given(`file=${secret}`),
      (error: Error & { code?: string }) => error.code === "INPUT_INVALID" && !error.message.includes(secret),
    );
  assert.equal(given("file=cs_readme").file, "cs_readme");
});

test("a drill has values of its own", () => {
  const inputs = head(
    { name: "backup", drill: "{{scratch}}/backup.age" },
    { name: "other", default: "x" },
    { name: "found", drill: { captured: true } },
  );
  assert.deepEqual(Object.fromEntries(givenInputs(inputs, [], "/tmp/drill")), {
    backup: "/tmp/drill/backup.age",
    other: "x",
    scratch: "/tmp/drill",
  });
  assert.equal(givenInputs(inputs, ["backup=y"], "/tmp/drill").get("backup"), "y");
  assert.throws(() => givenInputs(inputs, []), { code: "INPUT_INVALID" });
  assert.deepEqual([...givenInputs(inputs, ["backup=y", "found=z"]).keys()], ["backup", "other", "found"]);
});

test("values in the head are of the type that they are said to be", () => {
  const check = (input: object) => checkInputs("x.md", head({ name: "a", ...input }), () => 1);
  assert.throws(() => checkInputs("x.md", head({ name: "scratch" }), () => 1), { code: "RUNBOOK_INVALID" });
  for (const wrong of [{ default: 5 }, { type: "integer", default: "5" }, { drill: true }, { drill: "{{file}}" }])
    assert.throws(() => check(wrong), { code: "RUNBOOK_INVALID" }, JSON.stringify(wrong));
  for (const right of [{ default: "5" }, { type: "integer", default: 5 }, { drill: "x" }, { drill: "{{scratch}}/f" }])
    check(right);
});

test("a value in a command is one word, and never an option", () => {
  const words = ["backup", "verify", "{{file}}", "--passphrase-file={{file}}"];
  assert.deepEqual(filledWords(words, new Map([["file", "my file; rm -rf"]])), {
    words: ["backup", "verify", "my file; rm -rf", "--passphrase-file=my file; rm -rf"],
  });
  assert.ok("fault" in filledWords(words, new Map([["file", "--force"]])));
});
