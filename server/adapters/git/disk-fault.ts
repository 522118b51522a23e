import { HubError } from "../../errors.ts";
import { GitFailure } from "./run-git.ts";

/** Of the file system: no room, no share of it left, switched to reading alone. */
const CODES = new Set(["ENOSPC", "EDQUOT", "EROFS"]);
const SQLITE_FULL = 13;
/** The same as Git says it. What a server says stands behind `remote:`, and is about the server's own disk. */
const WORDS = /^(?!remote:).*(?:No space left on device|Disk quota exceeded|Read-only file system)/m;

/** What failed because the disk of the mirrors takes nothing more; undefined for every other error. */
export function diskFault(error: unknown): HubError | undefined {
  if (!isDiskFault(error)) return undefined;
  return new HubError(
    "DATA_FOLDER_UNUSABLE",
    "The disk with the hub's data folder takes nothing more. Its operator makes room; what was fetched before stands.",
    { cause: error },
  );
}

function isDiskFault(error: unknown): boolean {
  if (error instanceof GitFailure) return WORDS.test(error.stderr);
  if (!(error instanceof Error)) return false;
  const { code, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  return CODES.has(code ?? "") || errcode === SQLITE_FULL;
}
