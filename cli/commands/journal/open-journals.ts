import type { KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { accountDirectory } from "../../../server/adapters/postgres/account-store.ts";
import { Database } from "../../../server/adapters/postgres/database.ts";
import { joinEmbeddedPostgres } from "../../../server/adapters/postgres/embedded-postgres.ts";
import { prepareEmbeddedRoles } from "../../../server/adapters/postgres/embedded-roles.ts";
import { journalSource } from "../../../server/adapters/postgres/journal-source.ts";
import type { Config, Secrets } from "../../../server/config/config.ts";
import { refuseOthersFolder } from "../../../server/config/prepare-folders.ts";
import type { JournalVerdict } from "../../../server/domain/evidence/journal-verifier.ts";
import { HubError } from "../../../server/errors.ts";
import type { JournalSource } from "../../../server/journal/journal-source.ts";
import { verifyJournal } from "../../../server/journal/verify-journal.ts";

/** The journals of all accounts in a database, read under the hub's runtime role. */
export interface Journals extends AsyncDisposable {
  readonly accounts: readonly string[];
  /** `rootKey` absent: whatever key the account's lanes bring along is taken. */
  verify(
    accountId: string,
    rootKey: KeyObject | undefined,
    onReceipts: (count: number) => void,
  ): Promise<JournalVerdict>;
}

/** Opens the database without migrating it. Throws CONFIG_INVALID where there is none, DATABASE_* where it is not ours. */
export async function openJournals(config: Config, secrets: Secrets): Promise<Journals> {
  await using opening = new AsyncDisposableStack();
  const database = new Database(await loginTo(config, secrets, opening), { poolSize: 2, statementTimeoutMs: 120_000 });
  opening.defer(() => database.close());
  const directory = accountDirectory(database);
  const accounts = await directory.accountIds().catch((cause: unknown) => {
    if (cause instanceof HubError) throw cause;
    throw new HubError(
      "DATABASE_DIVERGED",
      `This version of Countersign finds no journal in that database (${(cause as Error).message}).`,
      { cause },
    );
  });
  const hubId = (await directory.hubAccountId()) ?? "";
  const rooms = opening.move();
  return {
    accounts,
    verify: (accountId, rootKey, onReceipts) =>
      verifyJournal({
        source: counting(journalSource(database, accountId), onReceipts),
        hubId,
        accountId,
        ...(rootKey && { rootKeys: [rootKey] }),
      }),
    [Symbol.asyncDispose]: () => rooms.disposeAsync(),
  };
}

async function loginTo({ folders }: Config, { databaseUrl }: Secrets, opening: AsyncDisposableStack) {
  if (databaseUrl) return { connectionString: databaseUrl.reveal() };
  if (!existsSync(join(folders.data, "postgres", "data")))
    throw new HubError(
      "CONFIG_INVALID",
      `There is no hub's database in ${folders.data}: set COUNTERSIGN_DATA_DIR or DATABASE_URL to where it is, or let the running hub verify: npx countersign journal verify --remote`,
    );
  refuseOthersFolder(folders.data);
  const embedded = await joinEmbeddedPostgres(folders.data);
  opening.defer(() => embedded.release());
  return (await prepareEmbeddedRoles(embedded.superuser, embedded.home)).runtime;
}

function counting(source: JournalSource, onReceipts: (count: number) => void): JournalSource {
  let count = 0;
  return {
    ...source,
    async receipts(...range) {
      const page = await source.receipts(...range);
      count += page.length;
      onReceipts(count);
      return page;
    },
  };
}
