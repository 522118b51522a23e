import assert from "node:assert/strict";
import { test } from "node:test";
import { dependencyProblems } from "./check-dependencies.ts";
import { lockfileProblems, missingEntries } from "./lockfile.ts";

function lockOf(range: string, version = "1.2.3") {
  return {
    packages: {
      "": { dependencies: { "@a/b": range } },
      "node_modules/@a/b": { version, license: "MIT" },
    },
  };
}

const row = "| `@a/b` | 1.2.3 | MIT | it does what we need | 2020, 12 kB |";

test("a pinned dependency with a true row is in order", () => {
  assert.deepEqual(dependencyProblems(lockOf("1.2.3"), row), []);
  assert.deepEqual(dependencyProblems(lockOf("npm:@a/other@1.2.3"), row), []);
});

test("a range, a missing or untrue row, and a row too many are told", () => {
  assert.match(dependencyProblems(lockOf("^1.2.3"), row).join(), /pin it to 1\.2\.3/);
  assert.match(dependencyProblems(lockOf("npm:@a/other@^1.2.3"), row).join(), /pin it to 1\.2\.3/);
  assert.match(dependencyProblems(lockOf("1.2.3"), "").join(), /no row for @a\/b/);
  assert.match(dependencyProblems(lockOf("1.2.4", "1.2.4"), row).join(), /is 1\.2\.4 under MIT/);
  assert.match(dependencyProblems(lockOf("1.2.3"), row.replace("MIT", "ISC")).join(), /under MIT/);
  assert.match(dependencyProblems(lockOf("1.2.3"), row.replace("it does what we need", "")).join(), /reason/);
  assert.match(dependencyProblems(lockOf("1.2.3"), `${row}\n${row.replace("@a/b", "@a/c")}`).join(), /@a\/c.*not used/);
});

test("a platform's package that the lock leaves out is told, and its entry names the platform", () => {
  const parent = {
    version: "1.0.0",
    license: "MIT",
    dev: true,
    optionalDependencies: { "@p/linux-arm64-musl": "1.0.0" },
  };
  const packages = { "node_modules/p": parent };
  assert.deepEqual(missingEntries({ packages }).get("node_modules/@p/linux-arm64-musl"), {
    version: "1.0.0",
    cpu: ["arm64"],
    dev: true,
    libc: ["musl"],
    license: "MIT",
    optional: true,
    os: ["linux"],
  });
  assert.equal(lockfileProblems({ packages }).length, 1);
  const complete = { ...packages, "node_modules/@p/linux-arm64-musl": { version: "1.0.0" } };
  assert.deepEqual(lockfileProblems({ packages: complete }), []);
  const nested = { ...packages, "node_modules/p/node_modules/@p/linux-arm64-musl": { version: "1.0.0" } };
  assert.deepEqual(lockfileProblems({ packages: nested }), []);
});

test("a lock that names hosts is told", () => {
  const lock = (resolved: string) => ({ packages: { "node_modules/a": { version: "1.0.0", resolved } } });
  assert.equal(lockfileProblems(lock("https://packages.example/a/-/a-1.0.0.tgz")).length, 1);
  assert.deepEqual(lockfileProblems(lock("file:../a")), []);
});
