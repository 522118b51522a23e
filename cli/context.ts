import type { Config, Secrets } from "../server/config/config.ts";
import { HubError } from "../server/errors.ts";
import type { CliFolder } from "./cli-folder.ts";
import { HubClient } from "./hub-client.ts";
import type { Terminal } from "./terminal.ts";

/** What every command has at hand. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly config: Config;
  readonly secrets: Secrets;
  readonly folder: CliFolder;
  /** Set by a command that ended in another way than done. */
  exitCode: number;
}

/** Who speaks: a token kept in the config folder. */
export const OPERATOR = "operator";
export const AGENT = "agent";

/**
 * The hub of the config folder (or COUNTERSIGN_URL) and the named token (or COUNTERSIGN_TOKEN). Throws CONFIG_INVALID
 * where one of the two is not there.
 */
export function hubAddress(context: CliContext, name: string = OPERATOR): { url: string; token: string } {
  const url = context.config.cli.url ?? context.folder.hub()?.url;
  const token = context.secrets.token?.reveal() ?? context.folder.token(name);
  if (url !== undefined && token !== undefined) {
    if (!context.secrets.token) refuseForeignHub(context, url);
    return { url, token };
  }
  const missing = url === undefined ? "no hub" : `no token "${name}"`;
  throw new HubError(
    "CONFIG_INVALID",
    `There is ${missing} in ${context.folder.path}: start a hub (npx countersign start), join one (npx countersign join <code>), or set COUNTERSIGN_CONFIG_DIR to the folder that has it.`,
  );
}

/** A token of the config folder goes to the hub it belongs to, and to no other that COUNTERSIGN_URL names. */
function refuseForeignHub({ folder }: CliContext, url: string): void {
  const own = folder.hub()?.url;
  if (own === undefined || new URL(own).origin === new URL(url).origin) return;
  throw new HubError(
    "CONFIG_INVALID",
    `COUNTERSIGN_URL names another hub than the one that ${folder.path} belongs to (${new URL(own).origin}): set COUNTERSIGN_CONFIG_DIR to that hub's folder, or COUNTERSIGN_TOKEN to its token.`,
  );
}

/** Calls the hub with the named token. Throws what `hubAddress` throws. */
export function connectedHub(context: CliContext, name: string = OPERATOR): HubClient {
  const { url, token } = hubAddress(context, name);
  return new HubClient(url, token);
}
