import assert from "node:assert/strict";
import { test } from "node:test";
import { HubError } from "../../errors.ts";
import { DEFAULT_POLICY, DEFAULT_POLICY_DOCUMENT } from "./default-document.ts";
import { acceptedOrThrow, type PolicyProblem, problemInWords } from "./policy-checker.ts";

const problem: PolicyProblem = {
  path: "authorization.cedar",
  line: 3,
  column: 14,
  policy: "night",
  message: "not a word",
  help: "say it",
};

test("a problem in words has its place, its policy and its help", () => {
  assert.equal(problemInWords(problem), "authorization.cedar:3:14 (night): not a word; say it");
  assert.equal(problemInWords({ path: "kind", message: "wrong" }), "kind: wrong");
  assert.equal(problemInWords({ path: "", message: "no object" }), "no object");
});

test("a document with problems is POLICY_INVALID, one without is what it was accepted as", () => {
  assert.throws(
    () => acceptedOrThrow({ problems: [problem, problem] }),
    (error) =>
      error instanceof HubError &&
      error.code === "POLICY_INVALID" &&
      error.path === "authorization.cedar" &&
      error.message.endsWith("say it (and 1 more)") &&
      Array.isArray(error.details?.["problems"]),
  );
  const accepted = { document: DEFAULT_POLICY_DOCUMENT, ...DEFAULT_POLICY, outline: { policies: [], rules: [] } };
  assert.equal(acceptedOrThrow({ problems: [], accepted }), accepted);
});
