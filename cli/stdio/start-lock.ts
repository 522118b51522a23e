import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { HubError } from "../../server/errors.ts";

const LOCK_FILE = "start.lock";
const PAUSE_MS = 50;
/** Longer than a first start takes. */
const PATIENCE_MS = 120_000;
/** SQLITE_BUSY */
const TAKEN = 5;

/**
 * Runs `fn` while no other process of this machine does so for the same folder. The lock is SQLite's on a file without
 * content: the system's own, which goes with its process however that ends, so that none is ever stale. Throws
 * HUB_UNREACHABLE where another holds it for two minutes.
 */
export async function whileAlone<T>(folder: string, fn: () => Promise<T>): Promise<T> {
  const path = join(folder, LOCK_FILE);
  closeSync(openSync(path, "a", 0o600));
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    for (const end = Date.now() + PATIENCE_MS; !take(lock); await pause(PAUSE_MS))
      if (Date.now() > end)
        throw new HubError("HUB_UNREACHABLE", `Another process has been starting the hub for long (it holds ${path}).`);
    return await fn();
  } finally {
    lock.close();
  }
}

function take(lock: DatabaseSync): boolean {
  try {
    lock.exec("begin exclusive");
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === TAKEN) return false;
    throw error;
  }
}
