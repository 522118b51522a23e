import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { HubError } from "../errors.ts";
import { type ConfigProblem, inheritedEnv, readEnv, variables } from "./env.ts";

function problemsOf(source: Record<string, string>): Record<string, string> {
  try {
    readEnv(source);
  } catch (error) {
    assert(error instanceof HubError && error.code === "CONFIG_INVALID");
    const problems = error.details?.["problems"] as ConfigProblem[];
    for (const { name, sentence } of problems) assert(error.message.includes(`${name} ${sentence}`));
    return Object.fromEntries(problems.map(({ name, sentence }) => [name, sentence]));
  }
  return {};
}

test("an empty environment gives the documented defaults", () => {
  const env = readEnv({});
  assert.equal(env.COUNTERSIGN_HOST, "127.0.0.1");
  assert.equal(env.COUNTERSIGN_PORT, 7310);
  assert.equal(env.COUNTERSIGN_MAX_BODY_BYTES, 4 * 1024 * 1024);
  assert.equal(env.COUNTERSIGN_LOG_LEVEL, "info");
  assert.equal(env.DATABASE_URL, undefined);
  assert.equal(env.COUNTERSIGN_DATA_DIR, undefined);
});

test("a variable set to the empty string counts as unset", () => {
  const env = readEnv({ COUNTERSIGN_PORT: "", NO_COLOR: "", DATABASE_URL: "" });
  assert.equal(env.COUNTERSIGN_PORT, 7310);
  assert.equal(env.NO_COLOR, undefined);
  assert.equal(env.DATABASE_URL, undefined);
});

test("an unknown COUNTERSIGN_ variable is refused with the nearest known name; others are none of ours", () => {
  const problems = problemsOf({ COUNTERSIGN_PROT: "1", COUNTERSIGN_ZZZZZZZZ: "1", PROT: "1" });
  assert.deepEqual(problems, {
    COUNTERSIGN_PROT: "is unknown; did you mean COUNTERSIGN_PORT?",
    COUNTERSIGN_ZZZZZZZZ: "is unknown.",
  });
});

test("all problems are named in one error", () => {
  const problems = problemsOf({
    COUNTERSIGN_PORT: "70000",
    COUNTERSIGN_LOG_LEVEL: "loud",
    COUNTERSIGN_DATADIR: "/tmp/x",
    DATABASE_URL: "mysql://localhost/x",
  });
  assert.deepEqual(Object.keys(problems).sort(), [
    "COUNTERSIGN_DATADIR",
    "COUNTERSIGN_LOG_LEVEL",
    "COUNTERSIGN_PORT",
    "DATABASE_URL",
  ]);
  assert.match(problems["COUNTERSIGN_PORT"] ?? "", /from 0 to 65535, not "70000"/);
  assert.match(problems["COUNTERSIGN_LOG_LEVEL"] ?? "", /trace, debug, info/);
});

const values = [
  { name: "COUNTERSIGN_PORT", accept: ["0", "65535"], reject: ["65536", "-1", "0x10", "1e3", " 80", "80.0"] },
  { name: "COUNTERSIGN_HOST", accept: ["::1", "0.0.0.0", "[::1]", "hub.example"], reject: ["a b", "http://x", "-x"] },
  { name: "COUNTERSIGN_DATA_DIR", accept: ["/srv/hub"], reject: ["data", "./data", "/srv/\0"] },
  { name: "COUNTERSIGN_ALLOWED_HOSTS", accept: ["a.example, b.example:8443", "[::1]:80"], reject: ["a,", "a/b"] },
  {
    name: "COUNTERSIGN_ALLOWED_ORIGINS",
    accept: ["https://a.example,http://localhost:3000", "vscode-webview://x1"],
    reject: ["a.example", "https://a.example/path", "https://me@a.example", "https://a.example,"],
  },
  {
    name: "COUNTERSIGN_PUBLIC_URL",
    accept: ["https://hub.example.org", "https://Hub.example.org:8443/", "http://localhost:7310", "http://[::1]:80"],
    reject: [
      ...["http://hub.example.org", "hub.example.org", "https://hub.example.org/hub", "https://me@hub.example.org"],
      ...["https://hub.example.org?x", "https://hub.example.org#x", "ftp://localhost", "http://localhost.evil.example"],
    ],
  },
  { name: "COUNTERSIGN_EGRESS_ALLOW", accept: ["git.internal, 10.0.0.1:22", "[::1]:443"], reject: ["a,", "a/b", "*"] },
  { name: "COUNTERSIGN_EGRESS_CA_FILE", accept: ["/etc/ca.pem"], reject: ["ca.pem"] },
  {
    name: "COUNTERSIGN_GIT_FILE_ROOTS",
    accept: ["/srv/git", "/a:/b c,/d"],
    reject: ["git", "/a:", "/a:b", ":", "/\0"],
  },
  { name: "COUNTERSIGN_GIT_MAX_MB", accept: ["1", "16384"], reject: ["0", "1.5", "16385", "128MB"] },
  { name: "COUNTERSIGN_RATE_PER_PRINCIPAL", accept: ["0", "100000000"], reject: ["-1", "1.5", "many"] },
  { name: "COUNTERSIGN_RATE_PER_ADDRESS", accept: ["0", "60"], reject: ["-1", "60/min"] },
  { name: "COUNTERSIGN_PLAIN_HTTP", accept: ["1"], reject: ["yes", "0", "true"] },
  { name: "COUNTERSIGN_CA_FILE", accept: ["/etc/ca.pem"], reject: ["ca.pem"] },
  { name: "COUNTERSIGN_URL", accept: ["http://127.0.0.1:7310/mcp"], reject: ["127.0.0.1", "ftp://x", "file:///x"] },
  { name: "DATABASE_URL", accept: ["postgres://hub@db/x", "postgresql://h/x"], reject: ["db", "http://db/x"] },
  { name: "COUNTERSIGN_TOKEN", accept: ["cs_1_abc"], reject: ["cs_1 abc", "cs_1\nabc"] },
  { name: "COUNTERSIGN_TEST_MODE", accept: ["1"], reject: ["yes", "0"] },
];

for (const { name, accept, reject } of values) {
  test(`${name} takes what it allows and nothing else`, () => {
    for (const value of accept) assert.deepEqual(problemsOf({ [name]: value }), {}, value);
    for (const value of reject) assert.deepEqual(Object.keys(problemsOf({ [name]: value })), [name], value);
  });
}

test("lists are split, trimmed and in lower case", () => {
  const env = readEnv({ COUNTERSIGN_ALLOWED_HOSTS: "A.example , b.example:8443" });
  assert.deepEqual(env.COUNTERSIGN_ALLOWED_HOSTS, ["a.example", "b.example:8443"]);
});

test("lists of folders are split at colons and commas", () => {
  assert.deepEqual(readEnv({ COUNTERSIGN_GIT_FILE_ROOTS: "/a b: /c,/d" }).COUNTERSIGN_GIT_FILE_ROOTS, [
    "/a b",
    "/c",
    "/d",
  ]);
});

test("of PATH, folders that mean another one in each process are left out", () => {
  assert.equal(readEnv({ PATH: "/usr/bin:.::bin:/bin" }).PATH, "/usr/bin:/bin");
  assert.equal(readEnv({ PATH: "bin" }).PATH, undefined);
});

test("a relative XDG folder is ignored, as its specification asks", () => {
  assert.equal(readEnv({ XDG_DATA_HOME: "data" }).XDG_DATA_HOME, undefined);
  assert.equal(readEnv({ XDG_DATA_HOME: "/data" }).XDG_DATA_HOME, "/data");
});

test("a secret shows neither in the environment's JSON nor in an error about it", () => {
  const env = readEnv({ DATABASE_URL: "postgres://hub:hunter2@db/hub", COUNTERSIGN_TOKEN: "cs_1_hunter2" });
  for (const shown of [JSON.stringify(env), inspect(env, { depth: 5, showHidden: true }), String(env.DATABASE_URL)]) {
    assert.doesNotMatch(shown, /hunter2/);
  }
  assert.equal(env.DATABASE_URL?.reveal(), "postgres://hub:hunter2@db/hub");
  const problems = problemsOf({ DATABASE_URL: "mysql://hub:hunter2@db/hub", COUNTERSIGN_TOKEN: "hunter2 x" });
  assert.equal(Object.keys(problems).length, 2);
  assert.doesNotMatch(JSON.stringify(problems), /hunter2/);
});

test("a crash point needs test mode", () => {
  assert.deepEqual(Object.keys(problemsOf({ COUNTERSIGN_TEST_CRASH_AT: "after-intent" })), [
    "COUNTERSIGN_TEST_CRASH_AT",
  ]);
  const env = readEnv({ COUNTERSIGN_TEST_CRASH_AT: "after-intent", COUNTERSIGN_TEST_MODE: "1" });
  assert.equal(env.COUNTERSIGN_TEST_CRASH_AT, "after-intent");
  const ofOne = { COUNTERSIGN_TEST_CRASH_AT: "after-intent@system_fleet_put_object", COUNTERSIGN_TEST_MODE: "1" };
  assert.equal(readEnv(ofOne).COUNTERSIGN_TEST_CRASH_AT, ofOne.COUNTERSIGN_TEST_CRASH_AT);
  for (const bad of ["after-intent@", "@system_fleet_put_object", "after-intent@a@b", "after intent"]) {
    assert.deepEqual(Object.keys(problemsOf({ ...ofOne, COUNTERSIGN_TEST_CRASH_AT: bad })), [
      "COUNTERSIGN_TEST_CRASH_AT",
    ]);
  }
});

test("a migration URL alone is refused, with its database it is taken", () => {
  const COUNTERSIGN_MIGRATION_URL = "postgres://owner@db/hub";
  assert.deepEqual(Object.keys(problemsOf({ COUNTERSIGN_MIGRATION_URL })), ["COUNTERSIGN_MIGRATION_URL"]);
  assert.deepEqual(problemsOf({ COUNTERSIGN_MIGRATION_URL, DATABASE_URL: "postgres://hub@db/hub" }), {});
});

test("every declared default passes its own check", () => {
  for (const [name, declared] of Object.entries(variables)) {
    if ("default" in declared && typeof declared.default === "string") {
      assert.deepEqual(problemsOf({ [name]: declared.default }), {}, name);
    }
  }
});

test("a process that is started inherits everything but what is overridden", () => {
  const own = { PATH: "/bin", COUNTERSIGN_PORT: "1", DATABASE_URL: "postgres://h/x" };
  assert.deepEqual(inheritedEnv({ COUNTERSIGN_PORT: "0", DATABASE_URL: undefined }, own), {
    PATH: "/bin",
    COUNTERSIGN_PORT: "0",
  });
  assert.deepEqual(inheritedEnv({}, own), own);
});
