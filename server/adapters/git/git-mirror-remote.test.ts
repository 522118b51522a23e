/** Fetching over https and ssh: everything goes through the rules of server/adapters/egress. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { promisify } from "node:util";
import { createEgress, type Resolve } from "../egress/egress.ts";
import { LIMIT, MirrorFixture } from "./mirror.fixture.ts";
import { type Certificate, type GitServer, makeCertificate, serveRepositories } from "./source.fixture.ts";
import { sshConfig } from "./ssh-settings.ts";

const refused = { code: "EGRESS_REFUSED" };
const toLoopback: Resolve = async () => ["127.0.0.1"];
const run = promisify(execFile);

suite("over https", () => {
  let fixture: MirrorFixture;
  let certificate: Certificate;
  let server: GitServer;
  let host: string;
  before(() => {
    fixture = new MirrorFixture();
    certificate = makeCertificate(fixture.scratch);
  });
  after(() => fixture.remove());
  beforeEach(async () => {
    server = await serveRepositories(fixture.root, certificate);
    host = `localhost:${server.port}`;
    await open([host]);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const open = (allow: readonly string[], caFile: string | undefined = certificate.caFile) =>
    fixture.open({ egress: createEgress({ allow, resolve: toLoopback }), caFile });

  /** A repository with a commit, and where the server has it. */
  function served(content: string | Buffer = "1") {
    const source = fixture.source();
    const id = source.commit({ a: content });
    const path = `${source.folder.slice(fixture.root.length)}/.git`;
    return { source, id, path, url: `https://${host}${path}` };
  }

  test("a branch is fetched, and fetched again", async () => {
    const { source, id, url } = served();
    assert.equal(await fixture.mirror.checkSource({ url, branch: "main" }), url);
    assert.equal((await fixture.fetch(url)).id, id);
    assert.deepEqual(await fixture.read(id, "a"), { a: "1" });
    const next = source.commit({ a: "2" });
    assert.equal((await fixture.fetch(url)).id, next);
    const asked = server.requests.length;
    assert.equal((await fixture.fetch(url)).id, next);
    assert(server.requests.length - asked <= 2, "what is there already was fetched again");
    assert.deepEqual(fixture.leftovers(), []);
  });

  test("a private host is refused, and gets no request, unless it is allowed by name", async () => {
    const { id, url } = served();
    for (const allow of [[], ["other.test"], [`localhost:${server.port + 1}`]]) {
      await open(allow);
      await assert.rejects(fixture.fetch(url, { id: "refused" }), refused);
    }
    await open(["localhost"]);
    for (const spelling of ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]"]) {
      const address = await fixture.mirror.checkSource({ url: url.replace("localhost", spelling), branch: "main" });
      await assert.rejects(fixture.fetch(address, { id: "refused" }), refused, spelling);
    }
    assert.deepEqual(server.requests, []);
    assert.equal((await fixture.fetch(url)).id, id);
  });

  test("a redirect is followed to a host that is allowed, and to no other", async () => {
    const { id, path, url } = served();
    const led = (target: string) => `https://${host}/redirect/${encodeURIComponent(target)}`;
    assert.equal((await fixture.fetch(led(url))).id, id);
    for (const target of [`https://127.0.0.1:${server.port}${path}`, `https://private.test:${server.port}${path}`]) {
      await assert.rejects(fixture.fetch(led(target), { id: "redirected" }), refused, target);
    }
    for (const target of [
      `http://${host}${path}`,
      `ssh://${host}${path}`,
      `file://${fixture.root}${path}`,
      "ext::id",
    ]) {
      await assert.rejects(fixture.fetch(led(target), { id: "redirected" }), (error: { code?: string }) =>
        ["GIT_UNREACHABLE", "GIT_NOT_A_REPOSITORY", "EGRESS_REFUSED"].includes(error.code ?? ""),
      );
    }
  });

  test("what is not there, wants a login or is no repository is told apart", async () => {
    const { url } = served();
    const at = (path: string) => `https://${host}${path}`;
    await assert.rejects(fixture.fetch(at("/nothing/.git")), { code: "GIT_NOT_A_REPOSITORY" });
    await assert.rejects(fixture.fetch(at("/page")), { code: "GIT_NOT_A_REPOSITORY" });
    await assert.rejects(fixture.fetch(at("/login/a.git")), { code: "GIT_AUTH_REQUIRED" });
    const empty = fixture.source();
    await assert.rejects(fixture.fetch(at(`${empty.folder.slice(fixture.root.length)}/.git`)), {
      code: "GIT_REPOSITORY_EMPTY",
    });
    await assert.rejects(fixture.fetch(url, { branch: "other" }), { code: "GIT_BRANCH_MISSING" });
    await fixture.fetch(url);
    const gone = server.port;
    await server[Symbol.asyncDispose]();
    await assert.rejects(fixture.fetch(url), { code: "GIT_UNREACHABLE" });
    assert.equal(gone, server.port);
  });

  test("a name that nobody knows is unreachable", async () => {
    const resolve: Resolve = async (name) => {
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" });
    };
    await fixture.open({ egress: createEgress({ allow: [], resolve }) });
    await assert.rejects(fixture.fetch("https://nobody.test/a"), { code: "GIT_UNREACHABLE" });
  });

  test("a certificate of an authority that nobody listed is not trusted", async () => {
    const { url } = served();
    await fixture.open({ egress: createEgress({ allow: [host] }) });
    await assert.rejects(fixture.fetch(url, { id: "untrusted" }), { code: "GIT_UNREACHABLE" });
    await open([host]);
    await fixture.fetch(url, { id: "untrusted" });
  });

  test("a repository that is too large is given up in its middle", async () => {
    const { source, url } = served();
    await fixture.fetch(url);
    source.commit({ blob: randomBytes(4 * LIMIT) });
    await assert.rejects(fixture.fetch(url), { code: "GIT_TOO_LARGE" });
    assert.deepEqual(fixture.leftovers(), []);
  });

  test("a fetch that stands still is given up when it is cancelled", async () => {
    const { url } = served(randomBytes(400_000));
    const held = server.hold();
    const controller = new AbortController();
    const repository = { repositoryId: "held", url, branch: "main" };
    const pending = fixture.mirror.fetch(repository, fixture.options(controller.signal));
    pending.catch(() => {});
    await held;
    controller.abort();
    await assert.rejects(pending, { code: "CANCELLED" });
    assert.deepEqual(fixture.leftovers(), []);
    server.release();
    await fixture.fetch(url, { id: "held" });
  });

  test("no credential helper, rewriting or proxy of the user's has a say", async () => {
    const { url, id } = served();
    const home = join(fixture.scratch, "home");
    mkdirSync(home);
    const canary = join(fixture.scratch, "canary");
    const helper = join(home, "helper");
    writeFileSync(helper, `#!/bin/sh\ntouch '${canary}'\n`, { mode: 0o755 });
    writeFileSync(join(home, ".netrc"), "machine localhost login ada password secret\n");
    writeFileSync(
      join(home, ".gitconfig"),
      `[credential]\n\thelper = ${helper}\n[url "https://nowhere.test/"]\n\tinsteadOf = ${url}\n`,
    );
    const own = { HOME: home, https_proxy: "http://127.0.0.1:9", GIT_SSL_NO_VERIFY: "1", GIT_ASKPASS: helper };
    const login = `https://${host}/login/a.git`;
    const before = { ...process.env };
    Object.assign(process.env, own);
    try {
      await assert.rejects(fixture.fetch(login, { id: "login" }), { code: "GIT_AUTH_REQUIRED" });
      assert.equal((await fixture.fetch(url, { id: "own" })).id, id);
    } finally {
      for (const name of Object.keys(own)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
    assert.equal(existsSync(canary), false, "the user's helper was asked");
    const env = { PATH: before["PATH"], HOME: home, GIT_SSL_NO_VERIFY: "1", GIT_TERMINAL_PROMPT: "0" };
    await assert.rejects(run("git", ["-c", "http.proxy=", "ls-remote", login], { env }));
    assert.equal(existsSync(canary), true, "the canary proves nothing");
  });
});

suite("over ssh", () => {
  let fixture: MirrorFixture;
  before(() => {
    fixture = new MirrorFixture();
  });
  after(() => fixture.remove());

  test("the connection is made to the address that was judged, and to no host that is refused", async () => {
    const banners: string[] = [];
    const onConnection = (socket: Socket) => {
      socket.on("error", () => {});
      // the client speaks first as well; no key of anybody's gets that far
      socket.once("data", (data) => {
        banners.push(String(data));
        socket.end("SSH-2.0-test\r\n");
      });
    };
    const server = createServer(onConnection).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const url = `ssh://git@code.test:${port}/a.git`;
    const asked: string[] = [];
    const resolve: Resolve = async (name) => {
      asked.push(name);
      return ["127.0.0.1"];
    };
    try {
      await fixture.open({ egress: createEgress({ allow: [], resolve }) });
      await assert.rejects(fixture.fetch(url), refused);
      assert.deepEqual(banners, []);
      await fixture.open({ egress: createEgress({ allow: ["code.test"], resolve }) });
      await assert.rejects(fixture.fetch(url), { code: "GIT_UNREACHABLE" });
      assert.equal(banners.length, 1);
      assert.match(banners[0] ?? "", /^SSH-2\.0-OpenSSH/);
      assert.deepEqual(asked, ["code.test", "code.test"], "ssh resolved the name itself");
    } finally {
      server.close();
    }
  });

  test("ssh takes its settings from the adapter's file alone", async () => {
    // what ssh itself makes of the file, without connecting
    const file = join(fixture.scratch, "ssh_config");
    writeFileSync(file, sshConfig("exec 'a program' 100%%", join(fixture.scratch, "known 100% hosts")));
    const shown = execFileSync("ssh", ["-G", "-F", file, "code.test"], { encoding: "utf8" }).split("\n");
    for (const line of [
      "batchmode yes",
      "identitiesonly yes",
      "identityagent none",
      "identityfile none",
      "forwardagent no",
      "forwardx11 no",
      "permitlocalcommand no",
      "stricthostkeychecking accept-new",
      "pubkeyauthentication false",
      "passwordauthentication no",
      "globalknownhostsfile /dev/null",
      "proxycommand exec 'a program' 100%%",
    ]) {
      assert(shown.includes(line), `${line} is not among\n${shown.join("\n")}`);
    }
  });
});
