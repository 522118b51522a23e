import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, type StatsFs, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { configFrom } from "../../../server/config/config.ts";
import { readEnv } from "../../../server/config/env.ts";
import { CliFolder } from "../../cli-folder.ts";
import { checkAccess } from "./check-access.ts";
import { checkPostgres, compareClocks } from "./check-database.ts";
import { checkDisk, checkFolders } from "./check-folders.ts";
import { checkPort } from "./check-port.ts";
import { checkGit, checkNode } from "./check-programs.ts";
import { checkRootKey } from "./check-root-key.ts";
import type { Finding } from "./finding.ts";

const home = mkdtempSync(join(tmpdir(), "countersign-doctor-"));
after(() => rmSync(home, { recursive: true }));
const folder = () => mkdtempSync(join(home, "case-"));

/** Sound without a command, or broken with the one that mends it. */
function assertFinding(finding: Finding | undefined, state: Finding["state"], mend?: RegExp): void {
  assert.equal(finding?.state, state, JSON.stringify(finding));
  if (mend) assert.match(finding?.mend?.join("\n") ?? "", mend);
  else assert.equal(finding?.mend, undefined);
}

test("node: an old one is told with how to get the project's", () => {
  assertFinding(checkNode("24.0.0"), "sound");
  assertFinding(checkNode("22.19.0"), "broken", /npm rebuild node/);
});

test("token: there, set in the environment, not there, and before there is a hub", () => {
  const cli = new CliFolder(folder());
  assert.equal(checkAccess(cli, false).state, "unknown");
  cli.saveHub({ url: "http://127.0.0.1:1/mcp", accountId: "018f0000-0000-7000-8000-000000000001", rootKey: "" });
  assertFinding(checkAccess(cli, false), "broken", /recover operator/);
  assertFinding(checkAccess(cli, true), "sound");
  cli.saveToken("operator", "cs_x");
  assertFinding(checkAccess(cli, false), "sound");
});

test("git: one that is new enough, one that is old, none at all", async () => {
  const place = folder();
  const pretend = (version: string) => {
    writeFileSync(join(place, "git"), `#!/bin/sh\necho git version ${version}\n`, { mode: 0o755 });
    return checkGit(place);
  };
  assertFinding(await checkGit(join(place, "none")), "broken", /install git/);
  assertFinding(await pretend("2.39.4"), "sound");
  assertFinding(await pretend("10.1"), "sound");
  assertFinding(await pretend("2.39.3"), "broken", /install git/);
  assertFinding(await pretend("1.99.0"), "broken", /install git/);
});

test("disk: full of bytes, full of files, and a file system that counts none", async () => {
  const look = (facts: Partial<StatsFs>) =>
    checkDisk(join(home, "not", "yet", "there"), async (path) => {
      assert.equal(path, home, "the nearest folder that is there is asked");
      return { bavail: 1024 ** 2, bsize: 4096, files: 1e6, ffree: 1e6, ...facts } as StatsFs;
    });
  assertFinding(await look({}), "sound");
  assertFinding(await look({ bavail: 1000 }), "broken", /^df -h /);
  assertFinding(await look({ ffree: 10 }), "broken", /^df -i /);
  assertFinding(await look({ files: 0, ffree: 0 }), "sound");
});

test("folders: others who can read or change them, or a file in them, are told; walking through shows nothing", () => {
  const data = folder();
  const config = folder();
  const folders = { data, config, rootKeyFile: join(config, "hub", "root.key"), cli: join(config, "cli") };
  for (const [name, path] of [
    ["data folder", data],
    ["root key folder", join(config, "hub")],
    ["keys and tokens", folders.cli],
  ] as const) {
    const found = () => checkFolders(folders).find(({ check }) => check === name);
    if (path !== data) {
      assertFinding(found(), "sound"); // not there yet
      mkdirSync(path, { mode: 0o700 });
    }
    assertFinding(found(), "sound");
    for (const mode of [0o750, 0o704, 0o770, 0o722]) {
      chmodSync(path, mode);
      assertFinding(found(), "broken", new RegExp(`^chmod 700 ${path}$`));
    }
    chmodSync(path, 0o711);
    assertFinding(found(), "sound");
  }
  const token = join(folders.cli, "it's a.token");
  writeFileSync(token, "cs_", { mode: 0o600 });
  const [, , tokens] = checkFolders(folders);
  assertFinding(tokens, "sound");
  chmodSync(token, 0o640);
  assertFinding(checkFolders(folders)[2], "broken", /^chmod 600 '.*\/it'\\''s a\.token'$/);
});

test("root key: needed or not yet, open to others, in the wrong place, and none at all", async () => {
  const [data, place] = [folder(), folder()];
  const rootKeyFile = join(place, "root.key");
  const look = async (hasAccount: boolean | undefined, at = rootKeyFile) =>
    (await checkRootKey({ rootKeyFile: at, data }, hasAccount)).finding;
  assertFinding(await look(false), "sound");
  assertFinding(await look(undefined), "sound");
  assertFinding(await look(true), "broken", /^install -m 600 <your backup/);
  writeFileSync(rootKeyFile, `${Buffer.alloc(32, 7).toString("base64")}\n`, { mode: 0o600 });
  assertFinding(await look(true), "sound");
  chmodSync(rootKeyFile, 0o644);
  assertFinding(await look(true), "broken", new RegExp(`^chmod 600 ${rootKeyFile}$`));
  chmodSync(rootKeyFile, 0o600);
  writeFileSync(rootKeyFile, "no key");
  assertFinding(await look(true), "broken", /^install -m 600/);
  const inside = join(data, "root.key");
  writeFileSync(inside, `${Buffer.alloc(32, 7).toString("base64")}\n`, { mode: 0o600 });
  assertFinding(await look(true, inside), "broken", /outside of the data folder/);
});

test("port: any, a free one, a hub's, somebody else's, and an address that is not this machine's", async () => {
  const data = folder();
  const look = (server: { host?: string; port: number }) =>
    checkPort({ ...configFrom(readEnv({ HOME: home })).server, ...server }, data);
  assertFinding(await look({ port: 0 }), "sound");
  const listening = async (body: string): Promise<[Server, number]> => {
    const server = createServer((_, response) => response.end(body)).listen(0, "127.0.0.1");
    await new Promise((done) => server.once("listening", done));
    return [server, (server.address() as AddressInfo).port];
  };
  const [hub, port] = await listening('{"status":"alive"}');
  const [other, taken] = await listening("<html>");
  assertFinding(await look({ port }), "sound");
  assertFinding(
    await look({ port: taken }),
    "broken",
    new RegExp(`COUNTERSIGN_PORT=${taken + 1} npx countersign start`),
  );
  for (const server of [hub, other]) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
  assertFinding(await look({ port: taken }), "sound");
  assertFinding(await look({ host: "192.0.2.1", port: taken }), "broken", /unset COUNTERSIGN_HOST/);
});

test("database version: 15 and later", () => {
  assertFinding(checkPostgres(150_000, "15.0", "external"), "sound");
  assertFinding(checkPostgres(140_017, "14.17", "external"), "broken", /newer server/);
});

test("clock: ahead, behind, and as far apart as a slow answer explains", () => {
  const now = Date.UTC(2026, 10, 25);
  assertFinding(compareClocks(new Date(now), now, now), "sound");
  assertFinding(compareClocks(new Date(now + 30_000), now, now + 60_000), "sound");
  assertFinding(compareClocks(new Date(now + 60_000), now, now), "broken", /set-ntp|sntp/);
  assert.match(compareClocks(new Date(now + 60_000), now, now).says, /60 s ahead of/);
  assert.match(compareClocks(new Date(now - 60_000), now, now).says, /60 s behind/);
});
