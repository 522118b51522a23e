/** Every direct dependency has a row in docs/DEPENDENCIES.md, true to the lock, and is pinned to one version. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Lockfile, readLockfile } from "./lockfile.ts";

interface Row {
  readonly version: string;
  readonly licence: string;
  readonly why: string;
  readonly note: string;
}

/** One sentence for each dependency without a true row, and each row without a dependency. */
export function dependencyProblems(lock: Lockfile, page: string): string[] {
  const problems: string[] = [];
  const rows = readRows(page);
  const root = lock.packages[""] ?? {};
  const direct = { ...root.dependencies, ...root.devDependencies, ...root.optionalDependencies };
  for (const [name, range] of Object.entries(direct)) {
    const locked = lock.packages[`node_modules/${name}`];
    const row = rows.get(name);
    // an alias is a second version of a package beside the first: npm:<package>@<version>
    if (range.replace(/^npm:.+@/, "") !== locked?.version)
      problems.push(`${name} is asked for as ${range}; pin it to ${locked?.version}`);
    if (row === undefined) problems.push(`docs/DEPENDENCIES.md has no row for ${name}`);
    else if (row.version !== locked?.version || row.licence !== locked?.license) {
      problems.push(`docs/DEPENDENCIES.md: ${name} is ${locked?.version} under ${locked?.license}`);
    } else if (row.why === "" || row.note === "") {
      problems.push(`docs/DEPENDENCIES.md: ${name} needs its reason and its age and size`);
    }
    rows.delete(name);
  }
  for (const name of rows.keys()) problems.push(`docs/DEPENDENCIES.md has a row for ${name}, which is not used`);
  return problems;
}

/** Rows of the form: | `package` | version | licence | why | age and size | */
function readRows(page: string): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const line of page.split("\n")) {
    const [, name = "", version = "", licence = "", why = "", note = ""] = line.split("|").map((cell) => cell.trim());
    const quoted = /^`([^`]+)`$/.exec(name);
    if (quoted?.[1]) rows.set(quoted[1], { version, licence, why, note });
  }
  return rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = readFileSync(new URL("../docs/DEPENDENCIES.md", import.meta.url), "utf8");
  const problems = dependencyProblems(readLockfile(), page);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
