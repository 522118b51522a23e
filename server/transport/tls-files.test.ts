import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { makeCertificate } from "../adapters/git/source.fixture.ts";
import { createLog } from "../config/log.ts";
import { TestDoor } from "./test-door.ts";
import { TlsCertificate, type TlsServer } from "./tls-files.ts";

const scratch = await mkdtemp(join(tmpdir(), "countersign-tls-"));
after(() => rm(scratch, { recursive: true }));

/** A certificate for localhost and 127.0.0.1, with its key and the authority that made it. */
async function made(name: string) {
  const folder = join(scratch, name);
  await mkdir(folder);
  const { caFile } = makeCertificate(folder);
  return { caFile, certFile: join(folder, "server.pem"), keyFile: join(folder, "server.key") };
}
const [one, two] = [await made("one"), await made("two")];

/** Files of their own, to be changed. */
async function copied(name: string) {
  const files = { certFile: join(scratch, `${name}.pem`), keyFile: join(scratch, `${name}.key`) };
  await copyFile(one.certFile, files.certFile);
  await copyFile(one.keyFile, files.keyFile);
  return files;
}

const log = () => {
  const lines: string[] = [];
  return {
    lines,
    log: createLog({ level: "info", format: "json" }, { write: (line: string) => void lines.push(line) }),
  };
};

describe("TLS files", () => {
  const open = (files: { certFile: string; keyFile: string }) => TlsCertificate.open(files, log());

  test("that belong together are taken; all others are refused, with the setting to mend", async () => {
    const refused = (files: object, path: string) =>
      assert.rejects(open({ ...one, ...files }), { code: "CONFIG_INVALID", path });
    const garbage = join(scratch, "garbage.pem");
    await writeFile(garbage, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", { mode: 0o600 });
    await refused({ certFile: garbage }, "COUNTERSIGN_TLS_CERT_FILE");
    await refused({ keyFile: two.keyFile }, "COUNTERSIGN_TLS_CERT_FILE");
    await refused({ keyFile: garbage }, "COUNTERSIGN_TLS_CERT_FILE");
    await refused({ keyFile: join(scratch, "nothing") }, "COUNTERSIGN_TLS_KEY_FILE");
    await refused({ certFile: join(scratch, "nothing") }, "COUNTERSIGN_TLS_CERT_FILE");
    await open(one);
  });

  test("with a key that others can read are refused until they cannot", async () => {
    const files = await copied("open");
    for (const mode of [0o644, 0o640, 0o604]) {
      await chmod(files.keyFile, mode);
      await assert.rejects(open(files), { code: "CONFIG_INVALID", path: "COUNTERSIGN_TLS_KEY_FILE" });
    }
    await chmod(files.keyFile, 0o400);
    await open(files);
  });

  test("that refuse say nothing of the key", async () => {
    const broken = join(scratch, "broken.key");
    const key = await readFile(one.keyFile, "utf8");
    await writeFile(broken, key.replace("BEGIN PRIVATE", "BEGIN PUBLIC"), { mode: 0o600 });
    await assert.rejects(open({ ...one, keyFile: broken }), (error: Error) => {
      assert.ok(!error.message.includes(key.split("\n")[1] ?? "?"));
      return true;
    });
  });

  test("name the host that clients are to use", async () => {
    using certificate = await open(one);
    assert.equal(certificate.nameAmong(["0.0.0.0", "hub.example", "localhost"]), "localhost");
    assert.equal(certificate.nameAmong(["[::1]", "127.0.0.1"]), "127.0.0.1");
    assert.equal(certificate.nameAmong(["hub.example"]), undefined);
  });

  test("that change are used without being asked; what cannot be used leaves the old ones, and says so", async () => {
    const files = await copied("watched");
    const { lines, log: logger } = log();
    using certificate = await TlsCertificate.open(files, { log: logger, lookEveryMs: 20 });
    const contexts: unknown[] = [];
    let changed = Promise.withResolvers<void>();
    const server: TlsServer = {
      setSecureContext({ cert }) {
        contexts.push(cert);
        changed.resolve();
      },
    };
    certificate.follow(server);
    await writeFile(files.certFile, "no certificate");
    assert.equal(await certificate.reload(), false);
    assert.deepEqual(contexts, []);
    // as a mount or a renewal does: the other file, then this one
    await copyFile(two.keyFile, `${files.keyFile}.new`);
    await rename(`${files.keyFile}.new`, files.keyFile);
    await copyFile(two.certFile, `${files.certFile}.new`);
    await rename(`${files.certFile}.new`, files.certFile);
    await changed.promise;
    assert.deepEqual(contexts, [await readFile(two.certFile, "latin1")]);
    changed = Promise.withResolvers<void>();
    assert.equal(await certificate.reload(), true);
    assert.equal(contexts.length, 1, "what is the same is left as it is");
    assert.match(lines.join(""), /the certificate from before stays in use/);
    assert.match(lines.join(""), /a new TLS certificate is in use/);
  });
});

describe("the door over TLS", () => {
  const handshake = async (door: TestDoor, options: ConnectionOptions) => {
    const socket = connect({ host: "localhost", port: door.http.port, ca: await readFile(one.caFile), ...options });
    await once(socket, "secureConnect");
    return socket;
  };
  const serialOf = (socket: TLSSocket) => socket.getPeerX509Certificate()?.serialNumber;
  const serialIn = async (file: string) => new X509Certificate(await readFile(file)).serialNumber;

  /** One request, headers as they are given. */
  async function ask(door: TestDoor, path: string, headers: Record<string, string>, method = "GET", body?: string) {
    const sent = request({
      ...{
        host: "localhost",
        port: door.http.port,
        ca: await readFile(one.caFile),
        servername: "localhost",
        agent: false,
      },
      ...{ path, method, headers },
    }).end(body);
    const [response] = await once(sent, "response");
    return { status: response.statusCode as number, text: await text(response) };
  }

  test("serves what the plain one does, from an https origin alone, and no plain HTTP", async () => {
    await using door = await TestDoor.open({ tls: one });
    assert.equal(door.http.url, `https://127.0.0.1:${door.http.port}`);
    const auth = { authorization: `Bearer ${door.token}`, "content-type": "application/json" };
    const echo = "/v1/actions/system_test_echo";
    assert.equal((await ask(door, echo, auth, "POST", "{}")).status, 200);
    assert.equal((await ask(door, "/healthz", {})).status, 200);
    const own = `https://localhost:${door.http.port}`;
    assert.equal((await ask(door, "/healthz", { origin: own })).status, 200);
    for (const path of ["/healthz", "/readyz", "/mcp", echo]) {
      for (const headers of [
        { host: "evil.example" },
        { origin: "https://evil.example" },
        { origin: own.replace("s", "") },
      ]) {
        const refused = await ask(door, path, { ...auth, ...headers });
        assert.equal(refused.status, 403, `${path} ${JSON.stringify(headers)}`);
        assert.match(refused.text, /ORIGIN_REFUSED/);
      }
    }
    const plain = connectPlain(door.http.port, "127.0.0.1").on("error", () => {});
    plain.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert.doesNotMatch(await text(plain).catch(() => ""), /HTTP\/1\.1 200/);
    assert.equal((await ask(door, "/healthz", {})).status, 200);
  });

  test("speaks TLS 1.3, and 1.2 where asked; nothing older", async () => {
    await using door = await TestDoor.open({ tls: one });
    for (const [options, protocol] of [
      [{}, "TLSv1.3"],
      [{ maxVersion: "TLSv1.2" }, "TLSv1.2"],
    ] as const) {
      const socket = await handshake(door, options);
      assert.equal(socket.getProtocol(), protocol);
      socket.destroy();
    }
    const ciphers = "DEFAULT@SECLEVEL=0"; // else this client would not even ask
    for (const maxVersion of ["TLSv1.1", "TLSv1"] as const)
      await assert.rejects(handshake(door, { minVersion: "TLSv1", maxVersion, ciphers }));
  });

  test("takes a new certificate while it is open, and keeps the old one for a bad file", async () => {
    const files = await copied("served");
    await using door = await TestDoor.open({ tls: files });
    const before = await handshake(door, {});
    assert.equal(serialOf(before), await serialIn(one.certFile));
    await writeFile(files.certFile, "no certificate");
    await door.http.reloadTls();
    const still = await handshake(door, {});
    assert.equal(serialOf(still), await serialIn(one.certFile));
    await copyFile(two.certFile, files.certFile);
    await copyFile(two.keyFile, files.keyFile);
    await door.http.reloadTls();
    const ca = await readFile(two.caFile);
    const renewed = await handshake(door, { ca });
    assert.equal(serialOf(renewed), await serialIn(two.certFile));
    // who was there before is not cut off
    before.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert.match(await text(before), /^HTTP\/1\.1 200 /);
    for (const socket of [still, renewed]) socket.destroy();
  });

  test("ends who begins no handshake in time", async () => {
    await using door = await TestDoor.open({ tls: one, headersTimeoutMs: 100 });
    const silent = connectPlain(door.http.port, "127.0.0.1").on("error", () => {});
    await once(silent, "close");
    assert.match(door.hub.lines.join(""), /"msg":"no TLS"/);
  });

  test("does not open with files that cannot be used", async () => {
    await assert.rejects(TestDoor.open({ tls: { ...one, keyFile: two.keyFile } }), { code: "CONFIG_INVALID" });
  });
});
