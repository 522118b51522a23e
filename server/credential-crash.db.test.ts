/** A hub that is killed while it fetches with a credential leaves the login in a folder that the next one removes. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CredentialsFixture, PASSWORD, USER } from "./credentials.fixture.ts";

test("killed in the middle of a fetch: only this user can read what is there, and after a start nothing is", async () => {
  await using all = await CredentialsFixture.open();
  const { git } = all;
  await all.ready("held");
  await git.register("held", all.privateRepository("held", { blob: randomBytes(400_000) }), { credential: "held" });
  const folder = join(String(git.hubs.env()["COUNTERSIGN_DATA_DIR"]), "git");
  const jobs = () => readdirSync(folder).filter((name) => name.includes(".fetch-"));
  const held = all.server.hold();
  await git.begin("held");
  await held;
  const [job = ""] = jobs();
  const settings = join(folder, job, "settings");
  assert.ok(readFileSync(settings, "utf8").includes(Buffer.from(`${USER}:${PASSWORD}`).toString("base64")));
  const modes = [folder, join(folder, job), settings].map((path) => statSync(path).mode & 0o077);
  assert.deepEqual(modes, [0, 0, 0]);
  await git.hub.kill();
  assert.equal(jobs().length, 1);
  all.server.release();
  await git.hubs.start(all.env);
  assert.deepEqual(jobs(), []);
});
