/** On the oldest PostgreSQL that the hub serves, somebody else's server, whose roles may no more than they must. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type pg from "pg";
import { ExternalPostgres } from "../../../server/external-postgres.fixture.ts";
import { moduleNamed, TestHubs, urlOf } from "../../../server/test-hub.ts";
import { runCommand } from "../../scratch-hub.fixture.ts";

const PASSWORD = "of-a-test";

test("a backup is made there, verified where databases may be created, and restored into an empty one", async () => {
  await using server = await ExternalPostgres.start(15);
  for (const role of ["owner_of_it", "hub_of_it"])
    await server.query(`create role ${role} login password '${PASSWORD}'`);
  for (const database of ["first", "second"]) {
    await server.query(`create database ${database} owner owner_of_it`);
    await server.query(`grant connect on database ${database} to hub_of_it`);
  }
  const loginTo = (database: string, user: string): pg.PoolConfig => ({
    ...server.admin,
    ...{ database, user, password: PASSWORD },
  });
  const place = (database: string) => ({
    DATABASE_URL: urlOf(loginTo(database, "hub_of_it")),
    COUNTERSIGN_MIGRATION_URL: urlOf(loginTo(database, "owner_of_it")),
  });
  await using hubs = new TestHubs({
    owner: loginTo("first", "owner_of_it"),
    runtime: loginTo("first", "hub_of_it"),
    superuser: { ...server.admin, database: "first" },
    [Symbol.asyncDispose]: async () => {},
  });
  const hub = await hubs.start();
  await hubs.ada.run(hub, "system_fleet_put_object", { object: moduleNamed("kept") });
  await hub.stop();

  const file = join(hubs.home, "hub.age");
  const identity = await generateX25519Identity();
  const identityFile = join(hubs.home, "identity");
  writeFileSync(identityFile, identity, { mode: 0o600 });
  const recipient = await identityToRecipient(identity);
  const run = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const lock = args[0] === "create" ? ["--recipient", recipient] : ["--identity-file", identityFile];
    const { out, code, err } = await runCommand({ ...hubs.env(), ...env }, ["backup", ...args, ...lock, "--json"]);
    return { code, err, answer: JSON.parse(out) };
  };
  assert.equal((await run(["create", file])).code, 0);
  const refused = await run(["verify", file]);
  assert.deepEqual([refused.answer.error.code, refused.code], ["CONFIG_INVALID", 2]);
  await server.query("alter role owner_of_it createdb");
  const { answer, code, err } = await run(["verify", file]);
  assert.equal(code, 0, err);
  assert.deepEqual([answer.ok, answer.findings], [true, []]);

  const restored = await run(["restore", file], place("second"));
  assert.equal(restored.code, 0, restored.err);
  const again = await hubs.start(place("second"));
  const { output } = await hubs.ada.agent(again).done("system_fleet_get_object", { kind: "Module", name: "kept" });
  assert.ok(output["object"]);
});
