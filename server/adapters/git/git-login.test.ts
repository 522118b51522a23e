/** What Git is given of a login, and what is left of it afterwards. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import type { GitLogin } from "../../domain/gitops/git-mirror.ts";
import { createEgress, type Resolve } from "../egress/egress.ts";
import { MirrorFixture } from "./mirror.fixture.ts";
import { takeLock } from "./mirror-lock.ts";
import { type Certificate, type GitServer, makeCertificate, serveRepositories } from "./source.fixture.ts";
import { sshConfig } from "./ssh-settings.ts";

const PASSWORD = 'pässword:with/odd"chars\\';
const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nnot a real one\n-----END OPENSSH PRIVATE KEY-----";
const toLoopback: Resolve = async () => ["127.0.0.1"];

let fixture: MirrorFixture;
let server: GitServer;
let caFile: string;
let certificate: Certificate;
before(async () => {
  fixture = new MirrorFixture();
  certificate = makeCertificate(fixture.scratch);
  caFile = certificate.caFile;
  server = await serveRepositories(fixture.root, certificate, { login: `robot:${PASSWORD}` });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  fixture.remove();
});

const open = (more = {}) =>
  fixture.open({ egress: createEgress({ allow: ["localhost", "127.0.0.1"], resolve: toLoopback }), caFile, ...more });

/** Opens it each time anew, and keeps what it gave. */
function login(kind: GitLogin["kind"], secret: string) {
  const given: Buffer[] = [];
  const asked: string[] = [];
  const opener = async (host: string): Promise<GitLogin> => {
    asked.push(host);
    const bytes = Buffer.from(secret);
    given.push(bytes);
    return { kind, username: "robot", secret: bytes };
  };
  return { opener, given, asked };
}

function privateUrl(): string {
  const source = fixture.source();
  source.commit({ a: "1" });
  return `https://localhost:${server.port}/private${source.folder.slice(fixture.root.length)}/.git`;
}

test("over https the login goes to its own origin; nothing of it is left, and the bytes are wiped", async () => {
  await open();
  const url = privateUrl();
  const { opener, given, asked } = login("git-https", PASSWORD);
  const source = { repositoryId: "private", url, branch: "main", login: opener };
  await fixture.mirror.fetch(source, fixture.options());
  assert.deepEqual(asked, [`localhost:${server.port}`]);
  assert.ok(given.every((bytes) => bytes.every((byte) => byte === 0)));
  assert.deepEqual(fixture.leftovers(), []);
});

test("no file of the mirror holds it", () => {
  const encoded = Buffer.from(`robot:${PASSWORD}`).toString("base64");
  const files = readdirSync(fixture.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(files.length > 5);
  for (const { parentPath, name } of files) {
    const text = readFileSync(join(parentPath, name), "latin1");
    assert.ok(!text.includes(encoded) && !text.includes(PASSWORD), join(parentPath, name));
  }
});

test("a wrong password is refused as such, and not shown", async () => {
  await open();
  const { opener } = login("git-https", "quite another one");
  await assert.rejects(
    fixture.mirror.fetch(
      { repositoryId: "wrong", url: privateUrl(), branch: "main", login: opener },
      fixture.options(),
    ),
    (error: { code: string; message: string }) => {
      assert.equal(error.code, "GIT_AUTH_REQUIRED");
      return !error.message.includes("quite");
    },
  );
});

test("with a login no redirect is followed, neither to another host nor to the same", async () => {
  await open();
  for (const host of ["localhost", "127.0.0.1"]) {
    const led = `https://localhost:${server.port}/redirect/${encodeURIComponent(privateUrl().replace("localhost", host))}`;
    const before = server.authorizations.length;
    const source = { repositoryId: "led", url: led, branch: "main", login: login("git-https", PASSWORD).opener };
    await assert.rejects(fixture.mirror.fetch(source, fixture.options()), { code: "GIT_UNREACHABLE" });
    const sent = server.authorizations.slice(before);
    assert.ok(sent.length > 0 && sent.every(({ path }) => path.startsWith("/redirect/")));
  }
});

test("a kind of login goes with its kind of address; a folder is asked for none", async () => {
  await open();
  const source = fixture.source();
  source.commit({ a: "1" });
  const { opener, asked } = login("git-https", PASSWORD);
  await fixture.mirror.fetch(
    { repositoryId: "folder", url: source.url, branch: "main", login: opener },
    fixture.options(),
  );
  assert.deepEqual(asked, []);
  const wrong = { repositoryId: "kind", url: privateUrl(), branch: "main", login: login("ssh-key", KEY).opener };
  await assert.rejects(fixture.mirror.fetch(wrong, fixture.options()), { code: "CREDENTIAL_SCOPE_REFUSED" });
  assert.equal(fixture.mirror.loginPlace(source.url), undefined);
  assert.deepEqual(fixture.mirror.loginPlace("ssh://git@code.test/a"), { kind: "ssh-key", host: "code.test" });
  assert.deepEqual(fixture.mirror.loginPlace("ssh://git@code.test:2222/a"), {
    kind: "ssh-key",
    host: "code.test:2222",
  });
  assert.deepEqual(fixture.mirror.loginPlace("https://code.test/a"), { kind: "git-https", host: "code.test" });
});

test("ssh is given the key in a file that nobody else can read, and the file goes with the job", async () => {
  const bin = join(fixture.scratch, "bin");
  const seen = join(fixture.scratch, "seen");
  mkdirSync(bin);
  mkdirSync(seen);
  // in place of ssh: keeps what it was given, and cannot connect
  const script = `#!/bin/sh\ncp "$2" '${seen}/config'\nkey=$(sed -n 's/^ *IdentityFile "\\(.*\\)"$/\\1/p' "$2")\ncp -p "$key" '${seen}/key'\nls -ld "$(dirname "$key")" > '${seen}/folder'\nexit 255\n`;
  writeFileSync(join(bin, "ssh"), script, { mode: 0o755 });
  await open({ searchPath: `${bin}:/usr/local/bin:/usr/bin:/bin` });
  const source = {
    repositoryId: "ssh",
    url: "ssh://code.test/a.git",
    branch: "main",
    login: login("ssh-key", KEY).opener,
  };
  await assert.rejects(fixture.mirror.fetch(source, fixture.options()), { code: "GIT_UNREACHABLE" });
  assert.equal(readFileSync(join(seen, "key"), "utf8"), `${KEY}\n`);
  assert.equal(statSync(join(seen, "key")).mode & 0o777, 0o600);
  assert.match(readFileSync(join(seen, "folder"), "utf8"), /^drwx------/);
  assert.match(readFileSync(join(seen, "config"), "utf8"), /PubkeyAuthentication yes[^]*/);
  assert.deepEqual(fixture.leftovers(), []);
});

test("ssh itself reads the settings so: this key, this user, and nothing of anybody's else", () => {
  const file = join(fixture.scratch, "ssh_config");
  const keyFile = join(fixture.scratch, "a key 100%");
  writeFileSync(file, sshConfig("exec true", join(fixture.scratch, "known"), { keyFile, user: "robot" }));
  const shown = execFileSync("ssh", ["-G", "-F", file, "code.test"], { encoding: "utf8" }).split("\n");
  for (const line of [
    "user robot",
    `identityfile ${keyFile.replaceAll("%", "%%")}`,
    "identitiesonly yes",
    "identityagent none",
    "pubkeyauthentication true",
    "passwordauthentication no",
    "addkeystoagent false",
  ])
    assert.ok(shown.includes(line), `${line} is not among\n${shown.join("\n")}`);
});

test("what a killed process left is gone after the next start, but not what another one works in", async () => {
  await open();
  const left = join(fixture.folder, "0190a000-0000-7000-8000-00000000000a.git.fetch-left");
  const used = join(fixture.folder, "0190a000-0000-7000-8000-00000000000b.git.fetch-used");
  for (const folder of [left, used]) {
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, "key"), KEY, { mode: 0o600 });
  }
  {
    using _ = await takeLock(
      join(fixture.folder, "locks", "0190a000-0000-7000-8000-00000000000b"),
      AbortSignal.timeout(5_000),
    );
    await open();
    assert.deepEqual([existsSync(left), existsSync(used)], [false, true]);
  }
  await open();
  assert.equal(existsSync(used), false);
});

/** Speaks Git, and sends back what it got as a login in its own error (gitprotocol-pack(5), ERR). */
async function reflectingServer() {
  const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
  const reflecting = createServer(certificate, ({ headers }, response) => {
    const error = packet(`ERR cannot serve ${headers.authorization ?? "nobody"}\n`);
    response
      .setHeader("content-type", "application/x-git-upload-pack-advertisement")
      .end(`${packet("# service=git-upload-pack\n")}0000${error}`);
  });
  await new Promise<void>((resolve) => reflecting.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://localhost:${(reflecting.address() as AddressInfo).port}/shop.git`,
    [Symbol.dispose]: () => {
      reflecting.closeAllConnections();
      reflecting.close();
    },
  };
}

test("a server that sends the login back in its own words is not repeated; without a login it is", async () => {
  await open();
  using reflecting = await reflectingServer();
  const failure = (more: object) =>
    fixture.mirror
      .fetch({ repositoryId: "reflected", url: reflecting.url, branch: "main", ...more }, fixture.options())
      .then(
        () => assert.fail("it was fetched"),
        (error: unknown) => error as Error & { code: string },
      );
  const { opener } = login("git-https", "CANARY-SECRET");
  const withLogin = await failure({ login: opener });
  assert.equal(withLogin.code, "GIT_UNREACHABLE");
  const all = `${withLogin.message} ${inspect(withLogin, { depth: 10, showHidden: true })}`;
  const encoded = Buffer.from("robot:CANARY-SECRET").toString("base64");
  for (const secret of ["CANARY", encoded, encoded.slice(0, 12)]) assert.ok(!all.includes(secret), all);
  assert.match((await failure({})).message, /cannot serve nobody/);
});
