import { inheritedEnv, variables } from "../server/config/env.ts";

/** What leads to a hub, a database, keys or tokens, or sets them; the tests' own places are no hub's. */
const LEADS_SOMEWHERE = /^(?:COUNTERSIGN_(?!TEST_(?:CLUSTER|VAULT)_)|DATABASE_URL$)/;
const UNSET = Object.fromEntries(
  Object.keys(variables)
    .filter((name) => LEADS_SOMEWHERE.test(name))
    .map((name) => [name, undefined]),
);

/** The environment of a hub that is all on its own below `home`, whatever this process's own environment leads to. */
export const scratchEnv = (home: string): NodeJS.ProcessEnv =>
  inheritedEnv({
    ...UNSET,
    COUNTERSIGN_DATA_DIR: `${home}/data`,
    COUNTERSIGN_CONFIG_DIR: `${home}/config`,
    COUNTERSIGN_HOST: "127.0.0.1",
    COUNTERSIGN_PORT: "0",
    COUNTERSIGN_LOG_LEVEL: "warn",
    COUNTERSIGN_LOG_FORMAT: "pretty",
  });
