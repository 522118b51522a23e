import assert from "node:assert/strict";
import { test } from "node:test";
import { isAllowed, licenceProblems } from "./check-licences.ts";

const expressions = {
  accept: ["MIT", "Apache-2.0 OR GPL-3.0-only", "(MIT OR CC0-1.0)", "MIT and ISC", "GPL-2.0-only OR (MIT AND ISC)"],
  reject: [
    "GPL-3.0-only",
    "Apache-2.0 AND GPL-3.0-only",
    "(MIT OR ISC) AND AGPL-3.0-only",
    "MIT ISC",
    "(MIT",
    "MIT)",
    "Apache-2.0 WITH LLVM-exception",
    "UNLICENSED",
    "SEE LICENSE IN LICENSE",
    "",
  ],
};

test("an expression is allowed when a choice of allowed licences satisfies it", () => {
  for (const expression of expressions.accept) assert(isAllowed(expression), expression);
  for (const expression of expressions.reject) assert(!isAllowed(expression), expression);
});

test("a package without an allowed licence is named, nested ones too", () => {
  const lock = {
    packages: {
      "": { license: "Apache-2.0" },
      "node_modules/fine": { version: "1.0.0", license: "MIT" },
      "node_modules/fine/node_modules/@a/copyleft": { version: "2.0.0", license: "AGPL-3.0-only" },
      "node_modules/silent": { version: "3.0.0" },
    },
  };
  const problems = licenceProblems(lock);
  assert.equal(problems.length, 2);
  assert.match(problems[0] ?? "", /@a\/copyleft@2\.0\.0 has the licence AGPL-3\.0-only/);
  assert.match(problems[1] ?? "", /silent@3\.0\.0 has the licence none stated/);
});

test("an exception holds for the licence that was looked at", () => {
  const lock = (license: string) => ({ packages: { "node_modules/elkjs": { version: "1.0.0", license } } });
  assert.deepEqual(licenceProblems(lock("EPL-2.0")), []);
  assert.equal(licenceProblems(lock("GPL-3.0-only")).length, 1);
});
