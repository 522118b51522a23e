import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { request } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { createEgress } from "./egress.ts";
import { proxyCommand } from "./proxy-command.ts";
import { openTunnel, type Tunnel } from "./tunnel.ts";

const { signal } = new AbortController();
const egress = createEgress({ allow: ["echo.test"], resolve: async () => ["127.0.0.1"] });

suite("a tunnel", () => {
  let server: Server;
  let port: number;
  let arrived = 0;
  before(async () => {
    server = createServer((socket) => {
      arrived++;
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  after(() => server.close());

  const open = (maxBytes = 1024) => openTunnel(egress, { maxBytes, signal });

  interface Answer {
    readonly status: number | undefined;
    readonly socket: Socket;
  }
  async function connect(tunnel: Tunnel, target: string, credential: string | undefined): Promise<Answer> {
    const headers =
      credential === undefined ? {} : { "proxy-authorization": `Basic ${Buffer.from(credential).toString("base64")}` };
    const asked = request({ host: "127.0.0.1", port: tunnel.port, method: "CONNECT", path: target, headers }).end();
    const [response, socket] = await once(asked, "connect");
    socket.on("error", () => {});
    return { status: response.statusCode, socket };
  }

  test("carries bytes both ways to a host that is allowed, and counts them", async () => {
    await using tunnel = await open();
    const { status, socket } = await connect(tunnel, `echo.test:${port}`, tunnel.credential);
    assert.equal(status, 200);
    socket.write("hello");
    const [echo] = await once(socket, "data");
    assert.equal(String(echo), "hello");
    assert.equal(tunnel.bytes, 10);
    assert.equal(tunnel.failure, undefined);
  });

  test("refuses a private host, and remembers why", async () => {
    await using tunnel = await open();
    const before = arrived;
    for (const target of [`private.test:${port}`, `127.0.0.1:${port}`, `2130706433:${port}`, `[::1]:${port}`]) {
      assert.equal((await connect(tunnel, target, tunnel.credential)).status, 403, target);
    }
    assert.equal(arrived, before, "a refused host got a connection");
    assert(tunnel.failure?.kind === "refused");
    assert.equal(tunnel.failure.error.code, "EGRESS_REFUSED");
  });

  test("serves its job alone: without the credential nothing is connected", async () => {
    await using tunnel = await open();
    await using other = await open();
    const before = arrived;
    for (const credential of [undefined, "", "job:", `${tunnel.credential}x`, other.credential]) {
      assert.equal((await connect(tunnel, `echo.test:${port}`, credential)).status, 407, credential);
    }
    assert.equal(arrived, before);
    assert.equal((await connect(tunnel, `echo.test:${port}`, tunnel.credential)).status, 200);
  });

  test("knows no other method", async () => {
    await using tunnel = await open();
    for (const method of ["GET", "POST", "OPTIONS"]) {
      const path = `http://echo.test:${port}/`;
      const headers = { "proxy-authorization": `Basic ${Buffer.from(tunnel.credential).toString("base64")}` };
      const asked = request({ host: "127.0.0.1", port: tunnel.port, method, path, headers }).end();
      const [response] = await once(asked, "response");
      assert.equal(response.statusCode, 405, method);
      response.resume();
    }
    assert.equal((await connect(tunnel, "nonsense", tunnel.credential)).status, 400);
  });

  test("ends every connection once its bytes are spent", async () => {
    await using tunnel = await open(100);
    const { socket } = await connect(tunnel, `echo.test:${port}`, tunnel.credential);
    socket.write("x".repeat(40));
    await once(socket, "data");
    assert.equal(tunnel.failure, undefined);
    socket.write("x".repeat(40));
    await once(socket, "close");
    assert.equal(tunnel.failure?.["kind"], "over-budget");
    assert.equal((await connect(tunnel, `echo.test:${port}`, tunnel.credential)).status, 503);
  });

  test("remembers who did not answer, unless something graver happens", async () => {
    await using tunnel = await open();
    const gone = createServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const closed = (gone.address() as AddressInfo).port;
    gone.close();
    await once(gone, "close");
    assert.equal((await connect(tunnel, `echo.test:${closed}`, tunnel.credential)).status, 502);
    assert.equal(tunnel.failure?.kind, "unreachable");
    await connect(tunnel, `private.test:${port}`, tunnel.credential);
    assert.equal(tunnel.failure?.kind, "refused");
  });

  test("closes with its job, and with its signal", async () => {
    const tunnel = await open();
    const { socket } = await connect(tunnel, `echo.test:${port}`, tunnel.credential);
    const ended = once(socket, "close");
    await tunnel[Symbol.asyncDispose]();
    await ended;
    await assert.rejects(connect(tunnel, `echo.test:${port}`, tunnel.credential));

    const controller = new AbortController();
    await using second = await openTunnel(egress, { maxBytes: 1024, signal: controller.signal });
    const { socket: other } = await connect(second, `echo.test:${port}`, second.credential);
    const gone = once(other, "close");
    controller.abort();
    await gone;
  });

  test("gives up a connection that says nothing", async () => {
    await using tunnel = await openTunnel(egress, { maxBytes: 1024, signal, idleMs: 20 });
    const { socket } = await connect(tunnel, `echo.test:${port}`, tunnel.credential);
    await once(socket, "close");
    assert.equal(tunnel.failure?.kind, "unreachable");
  });

  suite("by ssh's ProxyCommand", () => {
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "countersign it's 100% "));
    });
    after(() => rm(folder, { recursive: true }));

    /** As ssh does: its per cent signs replaced, given to a shell. */
    const start = (command: string) =>
      spawn("/bin/sh", ["-c", `exec ${command.replaceAll("%%", "%")}`], { env: {}, stdio: ["pipe", "pipe", "ignore"] });

    test("joins standard input and output with the target; its credential is no argument", async () => {
      await using tunnel = await open();
      const file = join(folder, "tunnel.json");
      const command = await proxyCommand(tunnel, `echo.test:${port}`, file);
      assert(!command.includes(tunnel.credential.split(":")[1] ?? "?"));
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      const child = start(command);
      child.stdin.write("SSH-2.0-test\r\n");
      const [echo] = await once(child.stdout, "data");
      assert.equal(String(echo), "SSH-2.0-test\r\n");
      child.stdin.end();
      const [code] = await once(child, "close");
      assert.equal(code, 0);
    });

    test("fails where the target is refused, which gets no connection", async () => {
      await using tunnel = await open();
      const before = arrived;
      const child = start(await proxyCommand(tunnel, `private.test:${port}`, join(folder, "tunnel.json")));
      const [code] = await once(child, "close");
      assert.equal(code, 1);
      assert.equal(arrived, before);
      assert.equal(tunnel.failure?.kind, "refused");
    });
  });
});
