import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { broken, type Finding, sound } from "./finding.ts";

const LEAST_NODE = 24;
/**
 * Of each line of Git the first that does not run what a fetched repository's configuration names (CVE-2024-32004,
 * CVE-2024-32465). Newer lines have it from their beginning.
 */
const LEAST_GIT: Readonly<Record<number, number>> = { 39: 4, 40: 2, 41: 1, 42: 2, 43: 4, 44: 1, 45: 1 };

/** `version` is that of the Node which runs the command line and the hub: `24.1.0`. */
export function checkNode(version: string): Finding {
  const major = Number(version.split(".")[0]);
  if (major >= LEAST_NODE) return sound("node", `Node ${version}`);
  const says = `This is Node ${version}; the hub needs ${LEAST_NODE} or later, which comes with the project.`;
  return broken("node", says, "npm rebuild node && npm run prepare");
}

/** Looked for where the hub looks. */
export async function checkGit(searchPath: string): Promise<Finding> {
  let said: string;
  try {
    const { stdout } = await promisify(execFile)("git", ["--version"], { env: { PATH: searchPath, LC_ALL: "C" } });
    said = stdout.trim();
  } catch {
    return broken("git", `There is no git in ${searchPath}; the hub reads repositories with it.`, installGit());
  }
  if (isSafeGit(said)) return sound("git", said);
  return broken("git", `This is ${said}; the hub needs 2.39.4, or 2.45.1 or later.`, installGit());
}

function isSafeGit(said: string): boolean {
  const [major = 0, minor = 0, patch = 0] = (/(\d+)\.(\d+)(?:\.(\d+))?/.exec(said)?.slice(1) ?? []).map((n) =>
    Number(n ?? 0),
  );
  if (major !== 2) return major > 2;
  const least = LEAST_GIT[minor];
  return least === undefined ? minor > 45 : patch >= least;
}

const installGit = () => (process.platform === "darwin" ? "brew install git" : "sudo apt-get install git");
