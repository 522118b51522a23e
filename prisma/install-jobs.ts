import pg from "pg";
import { PgBoss, type Queue } from "pg-boss";

/** It installs and goes: no maintenance, no schedules. */
const QUIET = { supervise: false, schedule: false, max: 1 } as const;

/** pg-boss's own schema and the hub's queues, by the owner; what of it the runtime role may use. */
export async function installJobs(owner: pg.PoolConfig, runtimeRole: string, queues: readonly Queue[]): Promise<void> {
  const boss = new PgBoss({ ...(owner as object), ...QUIET });
  boss.on("error", () => {}); // each call below rejects by itself
  await boss.start();
  try {
    for (const queue of queues) {
      const { name, policy: _policy, partition: _partition, ...changeable } = queue;
      // policy and partition are for life
      if (!(await boss.getQueue(name))) await boss.createQueue(name, queue);
      else if (Object.keys(changeable).length) await boss.updateQueue(name, changeable);
    }
    const role = pg.escapeIdentifier(runtimeRole);
    const grants = [
      "revoke all on schema pgboss from public",
      "revoke all on all tables in schema pgboss from public",
      "revoke all on all routines in schema pgboss from public",
      `grant usage on schema pgboss to ${role}`,
      `grant select, insert, update, delete on all tables in schema pgboss to ${role}`,
      `grant usage on all sequences in schema pgboss to ${role}`,
      `grant execute on all functions in schema pgboss to ${role}`,
    ];
    await boss.getDb().executeSql(grants.join(";\n"));
  } finally {
    await boss.stop({ graceful: false });
  }
}
