import type { IntegrationStore } from "../../journal/integrator.ts";
import type { Database } from "./database.ts";

export function integrationStore(database: Database): IntegrationStore {
  return {
    async integrate(accountIds, most) {
      const statement = { name: "journal-integrate", text: "select hub_integrate($1, $2) as account" };
      const { rows } = await database.query<{ account: string }>(statement, [accountIds, most]);
      return rows.map(({ account }) => account);
    },

    async unintegrated() {
      const { rows } = await database.query<{ account: string }>("select hub_unintegrated() as account");
      return rows.map(({ account }) => account);
    },

    async finishEpochs() {
      await database.query("select hub_finish_epochs()");
    },
  };
}
