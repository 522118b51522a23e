/**
 * Keeps package-lock.json installable on every platform. `--write` mends what can be mended.
 *
 * npm leaves an optional platform package out of the lock when it could not be had where the lock was written
 * (npm/cli#4828); `npm ci` then tries to place it anew and may refuse to install anything. An entry with the pinned
 * version and the platform is enough: npm passes it over elsewhere, and fetches it by name where it fits.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface LockedPackage {
  version?: string;
  resolved?: string;
  license?: string;
  dev?: boolean;
  optional?: boolean;
  cpu?: string[];
  libc?: string[];
  os?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

export interface Lockfile {
  packages: Record<string, LockedPackage>;
}

const OPERATING_SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "win32"];
const PROCESSORS = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];

/** The package's name from its place in the tree: `node_modules/a/node_modules/@b/c` is `@b/c`. */
export function nameOf(place: string): string {
  return place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
}

/** Entries for the platform packages that the lock leaves out, by their place in the tree. */
export function missingEntries(lock: Lockfile): Map<string, LockedPackage> {
  const missing = new Map<string, LockedPackage>();
  for (const [place, parent] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      if (!isPlaced(lock, place, name)) missing.set(`node_modules/${name}`, platformEntry(name, version, parent));
    }
  }
  return missing;
}

/** Whether the package at `place` finds `name` in its own node_modules or in one further up. */
function isPlaced(lock: Lockfile, place: string, name: string): boolean {
  for (let folder = place; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    if (`${folder === "" ? "" : `${folder}/`}node_modules/${name}` in lock.packages) return true;
    if (folder === "") return false;
  }
}

function platformEntry(name: string, version: string, parent: LockedPackage): LockedPackage {
  const words = name.split(/[-/]/);
  const os = words.filter((word) => OPERATING_SYSTEMS.includes(word));
  const cpu = words.filter((word) => PROCESSORS.includes(word));
  const libc = words.includes("musl") ? ["musl"] : words.includes("gnu") ? ["glibc"] : [];
  return {
    version,
    ...(cpu.length > 0 && { cpu }),
    ...(parent.dev && { dev: true }),
    ...(libc.length > 0 && { libc }),
    ...(parent.license !== undefined && { license: parent.license }),
    optional: true,
    ...(os.length > 0 && { os }),
  };
}

/** One sentence for each thing about the lock that would hurt somebody else's install. */
export function lockfileProblems(lock: Lockfile): string[] {
  const problems: string[] = [];
  for (const [place, entry] of missingEntries(lock)) {
    const mend = entry.os
      ? "run: node scripts/lockfile.ts --write"
      : "its name does not tell the platform, add it by hand";
    problems.push(`package-lock.json has no entry for ${nameOf(place)}@${entry.version}; ${mend}`);
  }
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (entry.resolved !== undefined && /^https?:/.test(entry.resolved)) {
      problems.push(`package-lock.json names the host that ${nameOf(place)} came from; .npmrc says to leave it out`);
    }
  }
  return problems;
}

export function readLockfile(file = new URL("../package-lock.json", import.meta.url)): Lockfile {
  return JSON.parse(readFileSync(file, "utf8"));
}

function completeLockfile(file: URL): void {
  const lock = readLockfile(file);
  for (const [place, entry] of missingEntries(lock)) if (entry.os) lock.packages[place] = entry;
  // npm's own order, so that its next write makes no difference
  const places = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  lock.packages = Object.fromEntries(places);
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = new URL("../package-lock.json", import.meta.url);
  if (process.argv.includes("--write")) completeLockfile(file);
  const problems = lockfileProblems(readLockfile(file));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
