import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";

const RETRY_MS = 50;
const SQLITE_BUSY = 5;

/**
 * Waits until this is the one holder of the lock that the file stands for, among all processes of this machine. It is
 * the operating system's lock, which SQLite takes on every platform: a process that dies, however it dies, has it no
 * more. The file stays empty.
 *
 * Rejects with the signal's reason where that comes first.
 */
export async function takeLock(file: string, signal: AbortSignal): Promise<Disposable> {
  signal.throwIfAborted();
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    while (!tryLock(database)) await pause(RETRY_MS, undefined, { signal });
  } catch (error) {
    database.close();
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
