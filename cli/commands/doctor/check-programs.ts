import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { broken, type Finding, sound } from "./finding.ts";

const LEAST_NODE = 24;
/** The first that takes its settings from GIT_CONFIG_GLOBAL; an older one would take the user's. */
const LEAST_GIT = [2, 32] as const;

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
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(said)?.slice(1) ?? []).map(Number);
  const isNewEnough = major > LEAST_GIT[0] || (major === LEAST_GIT[0] && minor >= LEAST_GIT[1]);
  if (isNewEnough) return sound("git", said);
  return broken("git", `This is ${said}; the hub needs ${LEAST_GIT.join(".")} or later.`, installGit());
}

const installGit = () => (process.platform === "darwin" ? "brew install git" : "sudo apt-get install git");
