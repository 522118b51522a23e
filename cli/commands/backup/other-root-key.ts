import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Manifest } from "../../../contracts/backup/manifest.ts";
import type { Config } from "../../../server/config/config.ts";
import { HubError } from "../../../server/errors.ts";
import { typed } from "../../typed.ts";

/** What follows the name of a root key file in that of one that a rotation replaced: until when it was in use. */
const UNTIL = /^\.until-(\d{8}T\d{6}Z)$/;

/**
 * Does what needs a backup's own keys. Where the root key does not open them, says that they are under another one, and
 * which former ones lie beside it: what is otherwise said of that is for a hub's database.
 * @throws HubError KEY_SERVICE_UNREACHABLE, and what `work` throws
 */
export async function underRootKey<T>(
  { keys, folders: { rootKeyFile } }: Pick<Config, "keys" | "folders">,
  backup: Pick<Manifest, "createdAt">,
  work: () => Promise<T>,
): Promise<T> {
  return work().catch(async (error: unknown) => {
    throw keys.kind === "embedded" && isUnopened(error) ? await otherRootKey(rootKeyFile, backup, error) : error;
  });
}

const isUnopened = (error: unknown): error is HubError =>
  error instanceof HubError && error.code === "KEY_SERVICE_UNREACHABLE" && error.details?.["keyName"] !== undefined;

async function otherRootKey(path: string, { createdAt }: Pick<Manifest, "createdAt">, cause: HubError) {
  const former = await formerKeys(path);
  // the one that was in use when the backup was made
  const fitting = former.find(({ until }) => until >= createdAt.replaceAll(/[-:]|\.\d+/g, ""));
  const way = `COUNTERSIGN_ROOT_KEY_FILE=${fitting ? typed([fitting.file]) : "<its file>"}`;
  const beside = former.length === 0 ? "" : ` Former ones lie beside it: ${former.map(({ file }) => file).join(", ")}.`;
  return new HubError(
    "KEY_SERVICE_UNREACHABLE",
    `The backup's keys do not open with ${path}: it was made under another root key, or they were changed.${beside} Run this again with ${way}`,
    { cause, details: { ...cause.details, formerKeyFiles: former.map(({ file }) => file) } },
  );
}

/** Oldest first. */
async function formerKeys(path: string): Promise<{ readonly file: string; readonly until: string }[]> {
  const name = basename(path);
  const beside = await readdir(dirname(path)).catch(() => []);
  return beside
    .sort((one, other) => one.localeCompare(other))
    .flatMap((other) => {
      const until = other.startsWith(name) ? UNTIL.exec(other.slice(name.length))?.[1] : undefined;
      return until === undefined ? [] : [{ file: join(dirname(path), other), until }];
    });
}
