import { lstat, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { backupRows } from "../../../server/adapters/postgres/backup-store.ts";
import { type Login, ownerSession } from "../../../server/adapters/postgres/owner-session.ts";
import type { Config } from "../../../server/config/config.ts";
import { HubError } from "../../../server/errors.ts";
import type { RecoverableAccount } from "../recover/open-account.ts";
import { recordChange } from "../recover/record-change.ts";

/** Advisory lock, one a backup: held by the session of whoever writes it, for as long as it lives. */
const WRITING = "7310, hashtext('backup ' || $1)";
/** What follows the name of a backup in that of its part; without an id, nobody knows whose it is. */
const PART = /^\.(?:([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\.)?part$/;

/** Where a backup lies until it is whole: the name says which one it is. */
export const partOf = (path: string, id: string): string => `${path}.${id}.part`;

/** While it is held, nobody takes the backup for one whose command was killed. Throws DATABASE_UNREACHABLE. */
export async function holdWriting(owner: Login, id: string): Promise<AsyncDisposable> {
  const client = await ownerSession(owner);
  try {
    await client.query("set idle_session_timeout = 0"); // it says nothing for as long as the backup takes
    await client.query(`select pg_advisory_lock(${WRITING})`, [id]);
  } catch (error) {
    await client.end();
    throw error;
  }
  return { [Symbol.asyncDispose]: () => client.end() };
}

interface Place {
  readonly path: string;
  readonly owner: Login;
  readonly account: RecoverableAccount;
  readonly log: Config["log"];
}

/**
 * Takes away what killed commands left where a backup is to be written, and retires those backups: there is no file of
 * theirs. Answers with their ids. Throws ALREADY_EXISTS where one is being written there now, or by nobody who is known, or
 * where what lies there is another backup's or a whole one's.
 */
export async function clearLeftovers({ path, owner, account, log }: Place): Promise<string[]> {
  const left: { part: string; id: string }[] = [];
  for (const { part, id } of await partsOf(path)) {
    if (id === undefined) throw taken(part);
    await refuseUnlessBrokenOff({ path, owner, account }, { part, id });
    left.push({ part, id });
  }
  for (const { part, id } of left) {
    await rm(part, { force: true });
    await abandonBackup(account, log, id);
  }
  return left.map(({ id }) => id);
}

/** There is no file: no rotation has to wait for it. What is finished or retired stays so. */
export async function abandonBackup(account: RecoverableAccount, log: Config["log"], id: string): Promise<void> {
  await recordChange(account, log, {
    action: "backup_abandon",
    input: { id },
    target: { type: "Account", id: account.id },
    effect: async (session, { now }) => {
      const rows = backupRows(session);
      const { finished } = (await rows.byId(id)) ?? {};
      if (!finished) await rows.retire(id, { by: account.hubPrincipalId, at: now });
      return { id };
    },
  });
}

async function partsOf(path: string): Promise<{ part: string; id: string | undefined }[]> {
  const folder = dirname(path);
  const name = basename(path);
  const beside = await readdir(folder).catch(() => []); // whether it can be written to is found out by writing
  return beside.flatMap((other) => {
    const rest = other.startsWith(name) ? PART.exec(other.slice(name.length)) : null;
    return rest ? [{ part: join(folder, other), id: rest[1] }] : [];
  });
}

/** It is on record here as this file's, nobody holds it, and the part is all that there is of it. */
async function refuseUnlessBrokenOff(
  { path, owner, account }: Pick<Place, "path" | "owner" | "account">,
  { part, id }: { readonly part: string; readonly id: string },
): Promise<void> {
  const known = await account.database.read(account.id, (session) => backupRows(session).byId(id));
  if (!known || !(await isFree(owner, id))) throw taken(part);
  if (known.fileName !== basename(path))
    throw refused(part, `the backup ${id} was to be ${known.fileName}, and not this. See what it is, and move it away`);
  const file = await lstat(part);
  if (!file.isFile()) throw refused(part, "that is no file, as backups are written. See what it is, and move it away");
  if (file.nlink > 1)
    throw refused(
      part,
      `it has another name too, so the backup ${id} is whole, as when its command is killed at its very end. Keep it under that one, and remove this one`,
    );
}

async function isFree(owner: Login, id: string): Promise<boolean> {
  const client = await ownerSession(owner);
  try {
    const { rows } = await client.query<{ free: boolean }>(`select pg_try_advisory_lock(${WRITING}) as free`, [id]);
    return rows[0]?.free === true;
  } finally {
    await client.end(); // gives the lock back
  }
}

const refused = (part: string, why: string) => new HubError("ALREADY_EXISTS", `There is ${part}: ${why}.`);

const taken = (part: string) =>
  new HubError(
    "ALREADY_EXISTS",
    `There is a file ${part}: another backup is being written there, or one of another hub was broken off; then remove it.`,
  );
