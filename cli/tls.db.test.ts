/** The command line and the bridge at a hub that serves HTTPS. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect } from "node:tls";
import { makeCertificate } from "../server/adapters/git/source.fixture.ts";
import { AGENT } from "./context.ts";
import { makeFirstAccount } from "./first-account.ts";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import { runCommand, ScratchHome } from "./scratch-hub.fixture.ts";

describe("a hub over TLS", () => {
  const home = new ScratchHome();
  const [certFile, keyFile] = [join(home.path, "hub.pem"), join(home.path, "hub.key")];
  const files = { COUNTERSIGN_TLS_CERT_FILE: certFile, COUNTERSIGN_TLS_KEY_FILE: keyFile };
  let hub: HubProcess;

  /** A certificate of a new authority, put where the hub finds it; the authority's file. */
  function renew(name: string): string {
    const folder = join(home.path, name);
    mkdirSync(folder);
    const { caFile } = makeCertificate(folder);
    copyFileSync(join(folder, "server.key"), keyFile);
    copyFileSync(join(folder, "server.pem"), certFile);
    return caFile;
  }

  const start = (env: NodeJS.ProcessEnv) =>
    startHubProcess({
      env: { ...home.env, ...env },
      log: "ignore",
      progress: () => {},
      firstAccount: () => makeFirstAccount(home.folder, "Ada"),
    });

  let caFile: string;
  before(async () => {
    caFile = renew("first");
    hub = await start(files);
    const { url, accountId, rootKey } = hub.ready;
    home.folder.saveHub({ url, accountId, rootKey });
  });
  after(async () => {
    await hub.stop();
    await home[Symbol.asyncDispose]();
  });

  it("is called by who trusts its authority, by either variable, and by nobody else", async () => {
    assert.match(hub.ready.url, /^https:\/\/127\.0\.0\.1:\d+\/mcp$/);
    const call = (env: NodeJS.ProcessEnv) => runCommand({ ...home.env, ...env }, ["call", "system_identity_whoami"]);
    for (const variable of ["COUNTERSIGN_CA_FILE", "NODE_EXTRA_CA_CERTS"]) {
      const { code, err } = await call({ [variable]: caFile });
      assert.equal(code, 0, `${variable}: ${err}`);
    }
    assert.equal((await call({})).code, 5);
    assert.equal((await call({ COUNTERSIGN_CA_FILE: join(home.path, "nothing.pem") })).code, 2);
    assert.equal((await call({ COUNTERSIGN_CA_FILE: keyFile })).code, 2);
  });

  it("is reached through the bridge", async () => {
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const params = { name: "system_identity_whoami", arguments: {}, _meta };
    const message = `${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params })}\n`;
    const bridged = async (env: NodeJS.ProcessEnv) => {
      const { out } = await runCommand({ ...home.env, ...env }, ["stdio", "--no-start", "--as", AGENT], message);
      return JSON.parse(out) as { result?: object; error?: { data: { code: string } } };
    };
    assert.ok((await bridged({ COUNTERSIGN_CA_FILE: caFile })).result);
    assert.equal((await bridged({})).error?.data.code, "HUB_UNREACHABLE");
  });

  it("is known to the doctor, whatever its certificate is for", async () => {
    const { port } = new URL(hub.ready.url);
    const { out } = await runCommand({ ...home.env, ...files, COUNTERSIGN_PORT: port }, ["doctor", "--json"]);
    assert.match(out, /a hub answers at 127\.0\.0\.1:/);
  });

  it("takes a renewed certificate on SIGHUP, without a restart", async () => {
    const { port } = new URL(hub.ready.url);
    const shown = async () => {
      const socket = connect({ host: "127.0.0.1", port: Number(port), rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const serial = socket.getPeerX509Certificate()?.serialNumber;
      socket.destroy();
      return serial;
    };
    const before = await shown();
    renew("second");
    hub.child.kill("SIGHUP");
    const { serialNumber } = new X509Certificate(readFileSync(certFile));
    assert.notEqual(serialNumber, before);
    // the signal is on its way
    while ((await shown()) !== serialNumber) assert.equal(hub.child.exitCode, null);
  });

  it("does not start beyond this machine in the clear, unless that is what was asked for", async () => {
    const abroad = { COUNTERSIGN_HOST: "0.0.0.0" };
    await assert.rejects(start(abroad), { code: "CONFIG_INVALID" });
    await assert.rejects(start({ ...files, COUNTERSIGN_TLS_KEY_FILE: certFile }), { code: "CONFIG_INVALID" });
    for (const env of [{ COUNTERSIGN_PLAIN_HTTP: "1" }, files]) {
      const other = await start({ ...abroad, ...env });
      await other.stop();
    }
  });
});
