import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const scratch = mkdtempSync(join(tmpdir(), "countersign-runner-"));
after(() => rmSync(scratch, { recursive: true }));

/** A project of a few test files, run by the runner under test. */
function runProject(files: Record<string, string>, args: string[] = []) {
  const folder = mkdtempSync(join(scratch, "project-"));
  mkdirSync(join(folder, "scripts"));
  cpSync(fileURLToPath(new URL("test.ts", import.meta.url)), join(folder, "scripts/test.ts"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const [name, body] of Object.entries(files)) {
    writeFileSync(
      join(folder, name),
      `import { test } from "node:test";\nimport assert from "node:assert";\n${body}\n`,
    );
  }
  const env: Record<string, string | undefined> = {
    ...process.env,
    DATABASE_URL: "postgres://prod/db",
    COUNTERSIGN_TOKEN: "cs_1_x",
    PGHOST: "prod",
    FORCE_COLOR: "0",
  };
  delete env["NODE_TEST_CONTEXT"]; // this run is not part of the one around it
  const run = spawnSync(process.execPath, [join(folder, "scripts/test.ts"), ...args], { encoding: "utf8", env });
  return { folder, code: run.status, out: run.stdout, err: run.stderr };
}

const passing = 'test("holds", () => {});';
const failing = 'test("does not hold", () => assert.fail());';

test("tests that pass end with 0 and their summary", () => {
  const { code, out, err } = runProject({ "a.test.ts": passing, "b.test.ts": passing });
  assert.equal(code, 0, err);
  assert.match(out, /pass 2/);
});

test("one test that fails fails the run and is shown", () => {
  const { code, out } = runProject({ "a.test.ts": passing, "b.test.ts": failing });
  assert.equal(code, 1);
  assert.match(out, /does not hold/);
});

test("a file that cannot be loaded fails the run", () => {
  assert.equal(runProject({ "a.test.ts": passing, "b.test.ts": 'await import("./missing.ts");' }).code, 1);
});

test("words choose files by their path; words that choose none fail", () => {
  const files = { "alpha.test.ts": passing, "beta.test.ts": failing };
  assert.equal(runProject(files, ["alpha"]).code, 0);
  assert.equal(runProject(files, ["beta"]).code, 1);
  const none = runProject(files, ["gamma"]);
  assert.equal(none.code, 1);
  assert.match(none.err, /No test file matches/);
});

test("a run that proves nothing fails: no files, no tests in a file, or skipped tests alone", () => {
  assert.equal(runProject({}).code, 1);
  assert.match(runProject({ "a.test.ts": passing, "b.test.ts": "" }).err, /b\.test\.ts holds no test/);
  assert.equal(runProject({ "a.test.ts": passing, "b.test.ts": "" }).code, 1);
  assert.equal(runProject({ "a.test.ts": 'test.skip("later", () => {});' }).code, 1);
});

test("skipped tests are named at the end, with their reason", () => {
  const skipping = 'test("later", { skip: "no such machine" }, () => {});';
  const { code, err } = runProject({ "a.test.ts": passing, "b.test.ts": skipping });
  assert.equal(code, 0);
  assert.match(err, /SKIPPED.*\(1\):\n {2}b\.test\.ts: later \(no such machine\)/);
});

test("tests see temporary folders and none of the developer's databases, and the folders are gone afterwards", () => {
  const { folder, code, err } = runProject({
    "a.test.ts": `import { writeFileSync } from "node:fs"; import { homedir } from "node:os";
      test("environment", () => {
        for (const name of ["DATABASE_URL", "COUNTERSIGN_TOKEN", "PGHOST"]) assert.equal(process.env[name], undefined);
        for (const name of ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "COUNTERSIGN_DATA_DIR",
          "COUNTERSIGN_CONFIG_DIR", "COUNTERSIGN_TEST_CLUSTER_DIR"]) assert.match(process.env[name], /countersign-test-/);
        writeFileSync(new URL("home.txt", import.meta.url), homedir());
      });`,
  });
  assert.equal(code, 0, err);
  const home = readFileSync(join(folder, "home.txt"), "utf8");
  assert.match(home, /countersign-test-/);
  assert(!existsSync(join(home, "..")));
});
