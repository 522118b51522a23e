/**
 * Stops the embedded server when no hub is left. Nobody owns the server, so PostgreSQL's own locks do the counting:
 *  - a hub in use holds HUB shared, on a connection of its own; the kernel drops it when the hub dies;
 *  - one session inside the server, the reaper, tries HUB exclusively twice a second. When it could for `idleStopMs`,
 *    no hub is left and it stops the server. It outlives the hub that sent it.
 */
import pg from "pg";

const HUB = "7310, 1";
const REAPER = "7310, 2";

/** From here on the reaper leaves the server alone, until this connection ends. */
export const JOIN = `select pg_advisory_lock_shared(${HUB})`;

/** One row where a reaper is at work. */
export const REAPER_AT_WORK =
  "select from pg_locks where locktype = 'advisory' and classid = 7310 and objid = 2 and granted";

/** The server's process id, for programs that the server starts: they run in its data folder. */
export const SERVER_PID = "$(head -n 1 postmaster.pid)";

/** Leaves the reaper's session in the server. A second one finds the first and returns at once. */
export function sendReaper(superuser: pg.ClientConfig, idleStopMs: number): void {
  const client = new pg.Client({ ...superuser, application_name: "countersign-reaper" });
  client.on("error", () => {}); // the server stopping is its very purpose
  reap(client, idleStopMs).catch(() => {});
}

async function reap(client: pg.Client, idleStopMs: number): Promise<void> {
  await client.connect();
  unref(client);
  await client.query(`do $$ declare idle int := 0; begin
    if not pg_try_advisory_lock(${REAPER}) then return; end if;
    copy (select) to program 'touch reaper-${SERVER_PID}';
    loop
      commit; -- a long transaction would hold vacuum back
      perform pg_sleep(0.5);
      if pg_try_advisory_lock(${HUB}) then
        idle := idle + 500;
        if idle >= ${Math.trunc(idleStopMs)} then -- still locked: who joins now waits, and finds the server gone
          copy (select) to program 'kill -INT ${SERVER_PID}';
          perform pg_sleep(60);
        end if;
        perform pg_advisory_unlock(${HUB});
      else
        idle := 0;
      end if;
    end loop;
  end $$`);
  await client.end();
}

/** Lets the process end although the connection is open. */
export function unref(client: pg.Client): void {
  (client as pg.Client & { unref(): void }).unref();
}
