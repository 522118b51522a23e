import type { CliFolder } from "./cli-folder.ts";
import { OPERATOR } from "./context.ts";
import { HubClient } from "./hub-client.ts";
import type { Ready } from "./hub-process.ts";
import { whoami } from "./whoami.ts";

/**
 * Keeps where the hub is, if the folder belongs to its account. The root key is pinned when the account is made, and is
 * never replaced by what a hub says later. Answers whether the folder's keys and tokens are for this hub.
 */
export async function keepHub(
  folder: CliFolder,
  { url, accountId, rootKey, created }: Pick<Ready, "url" | "accountId" | "rootKey" | "created">,
): Promise<boolean> {
  const known = folder.hub();
  if (known && known.accountId !== accountId) return false;
  // a second hub on the same database does not take the first one's clients away
  if (known && (known.url === url || !(await answers(known.url)))) folder.saveHub({ ...known, url });
  else if (known) return true;
  // an earlier start may have been cut off right after the account was made
  else if (created || (await opens(folder.token(OPERATOR), url, accountId)))
    folder.saveHub({ url, accountId, rootKey });
  else return false;
  return true;
}

const PATIENCE_MS = 5_000;

/** Whether a hub, or something like one, is there. */
export async function answers(url: string): Promise<boolean> {
  return fetch(new URL("/healthz", url), { signal: AbortSignal.timeout(PATIENCE_MS) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function opens(token: string | undefined, url: string, accountId: string): Promise<boolean> {
  if (token === undefined) return false;
  return whoami(new HubClient(url, token)).then(
    ({ account }) => account.id === accountId,
    () => false,
  );
}
