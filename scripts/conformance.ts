/**
 * Holds the MCP door against the official suite: `npm run conformance`. What a revision requires is run as that revision
 * fixed it; then everything that the suite has, extensions and pending scenarios too. With arguments of the suite's own
 * (`npm run conformance -- --scenario tasks-lifecycle`) it is run once, with those.
 */
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { scoreOf } from "./conformance/score.ts";

const SUITE = fileURLToPath(import.meta.resolve("@modelcontextprotocol/conformance/dist/index.js"));
const HUB = fileURLToPath(new URL("conformance/hub.fixture.ts", import.meta.url));
const EXPECTED_FAILURES = fileURLToPath(new URL("conformance/expected-failures.yml", import.meta.url));

interface Run {
  readonly name: string;
  readonly arguments: readonly string[];
  /** Scenarios that have to be there: a set that shrank proves less than it says. */
  readonly scenarios: number;
}

const RUNS: readonly Run[] = [
  { name: "required by 2026-07-28", arguments: ["--requirements", "2026-07-28"], scenarios: 37 },
  { name: "required by 2025-11-25", arguments: ["--requirements", "2025-11-25"], scenarios: 30 },
  {
    name: "everything",
    arguments: ["--suite", "all", "--expected-failures", EXPECTED_FAILURES],
    scenarios: 65,
  },
];

/** Scenarios that check nothing, and why; every other one that passes without a check is a failure. */
const HOLLOW: Readonly<Record<string, string>> = {
  "tasks-status-notifications": "the suite itself skips it until it listens on subscriptions/listen",
  "server-sse-polling": "it advises; see scripts/conformance/expected-failures.yml",
};

const hub = fork(HUB, [], {
  stdio: ["ignore", "inherit", "inherit", "ipc"],
  execArgv: ["--disable-warning=ExperimentalWarning"],
});
const ended = once(hub, "exit");
const url = await Promise.race([once(hub, "message").then(([sent]) => String(sent)), ended.then(() => undefined)]);
if (url === undefined) throw new Error("the hub ended while it started");

const own = process.argv.slice(2);
try {
  process.exitCode = own.length > 0 ? (await suite(url, own)).code : await runAll(url);
} finally {
  if (hub.connected) hub.disconnect();
  await ended;
}

async function runAll(at: string): Promise<number> {
  const lines: string[] = [];
  let failed = 0;
  for (const run of RUNS) {
    console.log(`\n--- ${run.name}`);
    const { code, output } = await suite(at, run.arguments);
    const { counted, passed, hollow } = scoreOf(output);
    const unexplained = hollow.filter((name) => !(name in HOLLOW));
    const good = code === 0 && counted === run.scenarios && unexplained.length === 0;
    if (!good) failed++;
    lines.push(`${good ? "pass" : "FAIL"}  ${run.name}: ${passed} of ${counted}`);
    if (counted !== run.scenarios) lines.push(`      there should be ${run.scenarios} scenarios`);
    for (const name of unexplained) lines.push(`      ${name} passed without a check`);
  }
  const explained = Object.entries(HOLLOW).map(([name, why]) => `${name}: ${why}`);
  console.log(`\n${lines.join("\n")}\n\nPassed without a check:\n  ${explained.join("\n  ")}`);
  return failed > 0 ? 1 : 0;
}

/** Shows what the suite prints, and answers with it. */
async function suite(at: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [SUITE, "server", "--url", at, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
    process.stdout.write(chunk);
  });
  const [code] = await once(child, "close");
  return { code: typeof code === "number" ? code : 1, output };
}
