import assert from "node:assert/strict";
import { test } from "node:test";
import { startLine } from "./start-line.ts";

const DATABASE = {
  DATABASE_URL: "postgres://hub:s3cret@db/hub",
  COUNTERSIGN_MIGRATION_URL: "postgres://own:s3cret@db/hub",
};
const KEYS = { COUNTERSIGN_ROOT_KEY_FILE: "/keys/root.key.until-20260101T000000Z" };
const commandIn = (line: string) => line.slice(line.indexOf(": ") + 2);

test("a folder that was restored into is named, whatever else is set", () => {
  const bare = startLine("/new data", { COUNTERSIGN_DATA_DIR: "/old", COUNTERSIGN_ROOT_KEY_FILE: "" });
  assert.equal(commandIn(bare), "COUNTERSIGN_DATA_DIR='/new data' npx countersign start");
  assert.equal(
    commandIn(startLine("/new", { ...DATABASE, ...KEYS, COUNTERSIGN_PORT: "0", HOME: "/home/ada" })),
    `DATABASE_URL= COUNTERSIGN_MIGRATION_URL= COUNTERSIGN_DATA_DIR=/new COUNTERSIGN_ROOT_KEY_FILE=${KEYS.COUNTERSIGN_ROOT_KEY_FILE} npx countersign start`,
  );
});

test("without one, the settings of the restore are those of the start; a secret is named and not shown", () => {
  assert.equal(commandIn(startLine(undefined, {})), "npx countersign start");
  const own = {
    COUNTERSIGN_DATA_DIR: "/own",
    COUNTERSIGN_KEYS: "vault",
    COUNTERSIGN_VAULT_ADDR: "https://vault.example",
  };
  assert.equal(
    commandIn(startLine(undefined, own)),
    "COUNTERSIGN_DATA_DIR=/own COUNTERSIGN_KEYS=vault COUNTERSIGN_VAULT_ADDR=https://vault.example npx countersign start",
  );
  const external = startLine(undefined, DATABASE);
  assert.equal(commandIn(external), "npx countersign start");
  for (const name of Object.keys(DATABASE)) assert.ok(external.includes(name), external);
  assert.ok(!external.includes("s3cret"));
});
