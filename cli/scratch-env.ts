import { inheritedEnv } from "../server/config/env.ts";

/** The environment of a hub that is all on its own below `home`, whatever this process's own environment leads to. */
export const scratchEnv = (home: string): NodeJS.ProcessEnv =>
  inheritedEnv({
    COUNTERSIGN_DATA_DIR: `${home}/data`,
    COUNTERSIGN_CONFIG_DIR: `${home}/config`,
    COUNTERSIGN_ROOT_KEY_FILE: undefined,
    DATABASE_URL: undefined,
    COUNTERSIGN_MIGRATION_URL: undefined,
    COUNTERSIGN_HOST: "127.0.0.1",
    COUNTERSIGN_PORT: "0",
    COUNTERSIGN_ALLOWED_HOSTS: undefined,
    COUNTERSIGN_ALLOWED_ORIGINS: undefined,
    COUNTERSIGN_MAX_BODY_BYTES: undefined,
    COUNTERSIGN_MAX_IN_FLIGHT: undefined,
    COUNTERSIGN_POOL_SIZE: undefined,
    COUNTERSIGN_IDLE_SECONDS: undefined,
    COUNTERSIGN_EGRESS_ALLOW: undefined,
    COUNTERSIGN_EGRESS_CA_FILE: undefined,
    COUNTERSIGN_GIT_FILE_ROOTS: undefined,
    COUNTERSIGN_GIT_MAX_MB: undefined,
    COUNTERSIGN_LOG_LEVEL: "warn",
    COUNTERSIGN_LOG_FORMAT: "pretty",
    COUNTERSIGN_URL: undefined,
    COUNTERSIGN_TOKEN: undefined,
    COUNTERSIGN_TEST_MODE: undefined,
    COUNTERSIGN_TEST_CRASH_AT: undefined,
  });
