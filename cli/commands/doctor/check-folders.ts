import { readdirSync, type StatsFs, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Folders } from "../../../server/config/config.ts";
import { broken, type Finding, shellWord, sound } from "./finding.ts";

const LEAST_FREE_BYTES = 1024 ** 3;
const LEAST_FREE_FILES = 10_000;

/** Whether this user alone can read and change what is in the hub's folders. What is not there yet is made so. */
export function checkFolders(folders: Folders): Finding[] {
  return [
    checkFolder("data folder", folders.data),
    checkFolder("root key folder", dirname(folders.rootKeyFile)),
    checkCliFolder(folders.cli),
  ];
}

function checkFolder(check: string, path: string): Finding {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return sound(check, `${path} is not there yet: the first start makes it`);
  if (!found.isDirectory())
    return broken(check, `${path} is no folder.`, `mv ${shellWord(path)} ${shellWord(`${path}.old`)}`);
  return ownersFault(check, path, found) ?? sound(check, `${path} is yours alone`);
}

function checkCliFolder(path: string): Finding {
  const finding = checkFolder("keys and tokens", path);
  if (finding.state === "broken" || !statSync(path, { throwIfNoEntry: false })) return finding;
  for (const name of readdirSync(path)) {
    const file = join(path, name);
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isFile() && (found.mode & 0o077) !== 0)
      return broken(
        "keys and tokens",
        `Others can read ${file} (mode ${octal(found.mode)}). If somebody did, replace what is in it.`,
        `chmod 600 ${shellWord(file)}`,
      );
  }
  return finding;
}

function ownersFault(check: string, path: string, { uid, mode }: { uid: number; mode: number }): Finding | undefined {
  const self = process.geteuid?.();
  if (self === undefined) return undefined;
  if (uid !== self)
    return broken(
      check,
      `${path} belongs to another user (uid ${uid}, not ${self}).`,
      `sudo chown -R ${self} ${shellWord(path)}`,
    );
  // to walk through alone shows nothing
  if ((mode & 0o066) === 0) return undefined;
  const what = (mode & 0o022) === 0 ? "read" : "change";
  return broken(check, `Others can ${what} what is in ${path} (mode ${octal(mode)}).`, `chmod 700 ${shellWord(path)}`);
}

/** Room where the data lies, or will. */
export async function checkDisk(folder: string, look: (path: string) => Promise<StatsFs> = statfs): Promise<Finding> {
  const { bavail, bsize, files, ffree } = await look(existing(folder));
  const free = bavail * bsize;
  const mend = `df -h ${shellWord(existing(folder))} # then make room, or set COUNTERSIGN_DATA_DIR`;
  if (free < LEAST_FREE_BYTES)
    return broken(
      "disk",
      `${inMegabytes(free)} are free for ${folder}; below ${inMegabytes(LEAST_FREE_BYTES)} a full disk is near.`,
      mend,
    );
  // some file systems count none
  if (files > 0 && ffree < LEAST_FREE_FILES)
    return broken("disk", `${folder} has room for ${ffree} more files.`, mend.replace("-h", "-i"));
  return sound("disk", `${inMegabytes(free)} free for ${folder}`);
}

function existing(folder: string): string {
  return statSync(folder, { throwIfNoEntry: false }) ? folder : existing(dirname(folder));
}

const inMegabytes = (bytes: number) => `${Math.floor(bytes / 1024 ** 2)} MiB`;
const octal = (mode: number) => (mode & 0o7777).toString(8);
