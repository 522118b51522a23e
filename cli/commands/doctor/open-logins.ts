import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dedicatedClient } from "../../../server/adapters/postgres/dedicated-client.ts";
import { joinEmbeddedPostgres } from "../../../server/adapters/postgres/embedded-postgres.ts";
import { OWNER_ROLE, RUNTIME_ROLE } from "../../../server/adapters/postgres/embedded-roles.ts";
import type { Config, Secrets } from "../../../server/config/config.ts";
import { refuseOthersFolder } from "../../../server/config/prepare-folders.ts";
import { HubError } from "../../../server/errors.ts";

export type Client = Awaited<ReturnType<typeof dedicatedClient>>;
type Login = Parameters<typeof dedicatedClient>[0];

/** The hub's two logins as it would use them, with nothing mended on the way. */
export interface Logins extends AsyncDisposable {
  readonly kind: "embedded" | "external";
  readonly runtime: Client;
  readonly runtimeLogin: Login;
  /** Absent without a migration URL. */
  readonly owner?: Client;
}

/**
 * Signs in; undefined where there is no database yet, since the first start makes it. Throws HubError with a sentence for
 * what does not let anybody in; its path is the variable at fault.
 */
export async function openLogins({ folders }: Config, secrets: Secrets): Promise<Logins | undefined> {
  await using opening = new AsyncDisposableStack();
  const signIn = async (login: Login, name: string) => {
    const client = await dedicatedClient(login, "countersign-doctor").catch((cause: Error) => {
      // PostgreSQL's sentence names role and database; the URL with its password stays out
      const said = cause instanceof AggregateError ? (cause.errors[0] as Error).message : cause.message;
      throw new HubError("DATABASE_UNREACHABLE", `${name} lets nobody in: ${said}.`, { cause, path: name });
    });
    opening.defer(() => client.end());
    return client;
  };
  const { databaseUrl, migrationUrl } = secrets;
  let logins: Omit<Logins, keyof AsyncDisposable>;
  if (databaseUrl) {
    const runtimeLogin = { connectionString: databaseUrl.reveal() };
    const runtime = await signIn(runtimeLogin, "DATABASE_URL");
    const owner =
      migrationUrl && (await signIn({ connectionString: migrationUrl.reveal() }, "COUNTERSIGN_MIGRATION_URL"));
    logins = { kind: "external", runtime, runtimeLogin, ...(owner && { owner }) };
  } else {
    if (!existsSync(join(folders.data, "postgres", "data"))) return undefined;
    refuseOthersFolder(folders.data);
    const embedded = await joinEmbeddedPostgres(folders.data);
    opening.defer(() => embedded.release());
    const loginOf = (user: string) => ({
      ...embedded.superuser,
      ...{ database: "countersign", user, password: readFileSync(join(embedded.home, `${user}.password`), "utf8") },
    });
    const runtimeLogin = loginOf(RUNTIME_ROLE);
    const runtime = await signIn(runtimeLogin, "the embedded database");
    const owner = await signIn(loginOf(OWNER_ROLE), "the embedded database");
    logins = { kind: "embedded", runtime, runtimeLogin, owner };
  }
  const rooms = opening.move();
  return { ...logins, [Symbol.asyncDispose]: () => rooms.disposeAsync() };
}
