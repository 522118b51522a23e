/** A credential's secret, given on the page and on the command line and used by a sync, is written down nowhere. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "../cli/scratch-hub.fixture.ts";
import { canary, everyRow, everythingTold, found, foundInRows } from "./canary.fixture.ts";
import { CredentialsFixture, PASSWORD, submit, USER } from "./credentials.fixture.ts";

test("neither in a table, a log, a receipt, an event or a job, nor in a file of the data folder", async () => {
  await using all = await CredentialsFixture.open({ COUNTERSIGN_LOG_LEVEL: "trace" });
  const { git } = all;
  const { hubs, hub } = git;
  const onPage = "canary-on-the-page-8e1b";
  const onLine = "canary-on-the-line-27d0";
  const refused = "canary-that-was-refused-55aa";

  const first = await all.store("first");
  assert.equal((await submit(first.claim.link, `${refused}\nand another line`)).status, 400);
  assert.equal((await submit(first.claim.link, onPage)).status, 200);
  await all.store("second");
  const env = { ...hubs.env(), COUNTERSIGN_URL: hub.url, COUNTERSIGN_TOKEN: hubs.ada.token() };
  const provided = await runCommand(env, ["credentials", "provide", "second"], onLine);
  assert.equal(provided.code, 0, provided.err);
  await all.ready("right");

  const url = all.privateRepository("canary");
  for (const [name, code] of [
    ["first", "GIT_AUTH_REQUIRED"],
    ["second", "GIT_AUTH_REQUIRED"],
    ["right", undefined],
  ] as const) {
    await git.register(`with-${name}`, url, { credential: name });
    assert.equal((await git.sync(`with-${name}`)).error?.code, code);
    await git.operator.done("system_credentials_test", { name, url });
  }

  const basic = (secret: string) => canary(`as sent: ${secret}`, Buffer.from(`${USER}:${secret}`).toString("base64"));
  const secrets = [onPage, onLine, refused, PASSWORD];
  const code = first.claim.link.split("/").at(-1) ?? "";
  const canaries = [...secrets.map((secret) => canary(secret, secret)), ...secrets.map(basic), canary("a claim", code)];
  const rows = await everyRow(hubs);
  // the code of a claim is in the kept outcome of who asked, encrypted; the rest is nowhere
  assert.deepEqual(foundInRows(canaries, rows), []);
  assert.deepEqual(found(canaries, "the log", hub.log()), []);
  const receipts = await everythingTold(hubs, hub, "system_journal_list_receipts");
  const events = await everythingTold(hubs, hub, "system_events_list");
  assert.deepEqual(found(canaries, "receipts and events", JSON.stringify([receipts, events])), []);
  const data = String(hubs.env()["COUNTERSIGN_DATA_DIR"]);
  const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(files.length > 5);
  const inFiles = files.flatMap(({ parentPath, name }) =>
    found(canaries, name, readFileSync(join(parentPath, name), "latin1")),
  );
  assert.deepEqual(inFiles, []);

  // the search finds what is there
  assert.ok(all.server.authorizations.some(({ value }) => found([basic(PASSWORD)], "sent", value).length > 0));
  const name = canary("its user and name", `gitops/with-right`);
  assert.ok(foundInRows([name], rows).length > 0);
});
