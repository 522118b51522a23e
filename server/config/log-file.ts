import { constants, copyFileSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import type { DestinationStream } from "pino";

/** The log of a hub that a client started, in the data folder; the part before stands beside it as `hub.log.1`. */
export const LOG_FILE = "hub.log";
const MOST_BYTES = 5 << 20;

/**
 * A log file that this user alone can read and that stays below `mostBytes`: what is full becomes `<path>.1`, in place of
 * the one before. It is emptied and never exchanged, so that a process's standard error may be the same file. A disk that
 * takes nothing costs lines, and no call.
 */
export function openLogFile(path: string, mostBytes = MOST_BYTES): DestinationStream {
  const file = openSync(path, "a", 0o600);
  return {
    write(line) {
      try {
        if (fstatSync(file).size + Buffer.byteLength(line) > mostBytes) turnOver(path, file);
        writeSync(file, line);
      } catch {
        // there is nowhere left to say so
      }
    },
  };
}

function turnOver(path: string, file: number): void {
  try {
    // the copy has the file's mode
    copyFileSync(path, `${path}.1`, constants.COPYFILE_FICLONE);
  } finally {
    ftruncateSync(file, 0);
  }
}
