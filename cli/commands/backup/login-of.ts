import type { Login } from "../../../server/adapters/postgres/owner-session.ts";
import type { Secret } from "../../../server/config/secret.ts";
import type { Client } from "../doctor/open-logins.ts";

/** How to sign in once more as an open connection did: by its URL where it has one. */
export function loginOf({ host, port, user, password, database }: Client, url?: Secret): Login {
  if (url) return { connectionString: url.reveal() };
  return {
    ...{ host, port },
    ...(user !== undefined && { user }),
    ...(typeof password === "string" && { password }),
    ...(database !== undefined && { database }),
  };
}
