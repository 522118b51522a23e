/**
 * Runs the tests: `npm test`, or `npm test -- journal gate` for the files whose path contains one of the words.
 *
 * All files of a run share one PostgreSQL cluster, made by the first that needs it. Nothing outside the temporary
 * folder is written, and no database or hub of the developer's own is reached: the variables that lead there are unset.
 */
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const FILES_AT_A_TIME = 2;
/** A file that takes longer hangs: no test waits for a clock. */
const FILE_TIMEOUT_MS = 300_000;

const root = fileURLToPath(new URL("..", import.meta.url));
const words = process.argv.slice(2);
const files = globSync("**/*.test.ts", { cwd: root, exclude: (name) => name === "node_modules" || name === ".git" })
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();

const scratch = mkdtempSync(join(tmpdir(), "countersign-test-"));
chmodSync(scratch, 0o711); // as root, PostgreSQL runs as another user, who must get through
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());

try {
  isolate(scratch);
  process.exitCode = (await runFiles()) ? 0 : 1;
} finally {
  await stopCluster(join(scratch, "cluster"));
  rmSync(scratch, { recursive: true, maxRetries: 5 });
}

async function runFiles(): Promise<boolean> {
  if (files.length === 0) return report("No test file matches.");
  const skipped: string[] = [];
  const empty: string[] = [];
  let passed = 0;
  let success = true;
  const stream = run({
    cwd: root,
    files: files.map((file) => join(root, file)),
    concurrency: FILES_AT_A_TIME,
    timeout: FILE_TIMEOUT_MS,
    signal: interrupted.signal,
  });
  stream.on("test:pass", ({ name, file, skip, todo, details }) => {
    if (details.type === "suite") return;
    if (name === file || name === file?.slice(root.length)) {
      empty.push(name); // the file itself passes where there is no test in it
      return;
    }
    if (skip === undefined && todo === undefined) passed++;
    else skipped.push(`${file?.slice(root.length) ?? "?"}: ${name}${reasonOf(skip ?? todo)}`);
  });
  stream.on("test:summary", (summary) => {
    if (summary.file === undefined) success = summary.success;
  });
  for await (const chunk of stream.compose(spec)) process.stdout.write(chunk);
  if (skipped.length > 0) {
    console.error(`\nSKIPPED, and so not proven by this run (${skipped.length}):\n  ${skipped.join("\n  ")}`);
  }
  if (interrupted.signal.aborted) return report("The run was interrupted.");
  if (empty.length > 0) return report(`${empty.join(", ")} holds no test.`);
  if (passed === 0) return report("No test passed: nothing was proven.");
  return success;
}

function reasonOf(reason: string | boolean | undefined): string {
  return typeof reason === "string" && reason !== "" ? ` (${reason})` : "";
}

function report(sentence: string): false {
  console.error(sentence);
  return false;
}

/** Every folder and address that the hub would take from the environment leads into `folder`, or nowhere. */
function isolate(folder: string): void {
  for (const name of Object.keys(process.env)) {
    // a Vault to test against is named by whoever runs the tests
    if (name.startsWith("COUNTERSIGN_TEST_VAULT_")) continue;
    if (/^(COUNTERSIGN_|PG[A-Z]+$|DATABASE_URL$|NO_COLOR$)/.test(name)) delete process.env[name];
  }
  const folders = {
    HOME: "home",
    XDG_DATA_HOME: "home/data",
    XDG_CONFIG_HOME: "home/config",
    XDG_CACHE_HOME: "home/cache",
    XDG_STATE_HOME: "home/state",
    COUNTERSIGN_DATA_DIR: "hub/data",
    COUNTERSIGN_CONFIG_DIR: "hub/config",
    COUNTERSIGN_TEST_CLUSTER_DIR: "cluster",
    // what one test's process compiled, the next one finds
    NODE_COMPILE_CACHE: "compiled",
  };
  for (const [name, place] of Object.entries(folders)) process.env[name] = join(folder, place);
  mkdirSync(join(folder, "home"));
  mkdirSync(join(folder, "cluster"));
}

/** The cluster's server outlives the test files, so that the next one finds it; here is where it ends. */
async function stopCluster(folder: string): Promise<void> {
  const pidFile = () => globSync("**/postmaster.pid", { cwd: folder })[0];
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    const found = pidFile();
    if (found === undefined) return;
    try {
      process.kill(Number.parseInt(readFileSync(join(folder, found), "utf8"), 10), signal);
    } catch {
      return; // it ended by itself in between
    }
    for (let tries = 0; tries < 100 && pidFile() !== undefined; tries++) await pause(100);
  }
}
