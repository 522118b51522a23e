import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { configFrom, refusePlainHttp, secretsFrom } from "./config.ts";
import { readEnv } from "./env.ts";
import { prepareFolders } from "./prepare-folders.ts";

const scratch = await mkdtemp(join(tmpdir(), "countersign-config-"));
after(() => rm(scratch, { recursive: true }));

test("folders follow HOME, then XDG, then the hub's own variables", () => {
  const byHome = configFrom(readEnv({ HOME: "/home/ada" })).folders;
  assert.deepEqual(byHome, {
    data: "/home/ada/.local/share/countersign",
    config: "/home/ada/.config/countersign",
    rootKeyFile: "/home/ada/.config/countersign/hub/root.key",
    cli: "/home/ada/.config/countersign/cli",
  });
  const xdg = { HOME: "/home/ada", XDG_DATA_HOME: "/x/data", XDG_CONFIG_HOME: "/x/config" };
  const byXdg = configFrom(readEnv(xdg)).folders;
  assert.equal(byXdg.data, "/x/data/countersign");
  assert.equal(byXdg.cli, "/x/config/countersign/cli");
  const own = { ...xdg, COUNTERSIGN_DATA_DIR: "/o/data", COUNTERSIGN_CONFIG_DIR: "/o/config" };
  const byOwn = configFrom(readEnv(own)).folders;
  assert.equal(byOwn.data, "/o/data");
  assert.equal(byOwn.rootKeyFile, "/o/config/hub/root.key");
});

test("a root key inside the data folder is refused, beside it it is taken", () => {
  const place = (COUNTERSIGN_ROOT_KEY_FILE: string) =>
    configFrom(readEnv({ HOME: "/h", COUNTERSIGN_DATA_DIR: "/srv/data", COUNTERSIGN_ROOT_KEY_FILE }));
  assert.throws(() => place("/srv/data/keys/root.key"), { code: "CONFIG_INVALID" });
  assert.throws(() => place("/srv/keys/../data/root.key"), { code: "CONFIG_INVALID" });
  assert.equal(place("/srv/data-keys/root.key").folders.rootKeyFile, "/srv/data-keys/root.key");
});

test("people are sent to the hub's public address, without the slash", () => {
  const { server } = configFrom(readEnv({ HOME: "/h", COUNTERSIGN_PUBLIC_URL: "https://Hub.example.org/" }));
  assert.equal(server.publicUrl, "https://hub.example.org");
  assert.equal(configFrom(readEnv({ HOME: "/h" })).server.publicUrl, undefined);
});

test("nothing private is reached and no folder read unless it is listed", () => {
  const { egress, git } = configFrom(readEnv({ HOME: "/h" }));
  assert.deepEqual(egress, { allow: [], caFile: undefined });
  assert.deepEqual(git, { fileRoots: [], maxBytes: 128 * 1024 * 1024, searchPath: "/usr/local/bin:/usr/bin:/bin" });
  const own = { COUNTERSIGN_EGRESS_ALLOW: "Git.Internal", COUNTERSIGN_GIT_FILE_ROOTS: "/srv/git", PATH: "/opt/bin" };
  const listed = configFrom(readEnv({ HOME: "/h", ...own, COUNTERSIGN_GIT_MAX_MB: "1" }));
  assert.deepEqual(listed.egress.allow, ["git.internal"]);
  assert.deepEqual(listed.git, { fileRoots: ["/srv/git"], maxBytes: 1024 * 1024, searchPath: "/opt/bin" });
});

test("TLS takes a certificate and its key, and neither without the other", () => {
  const [COUNTERSIGN_TLS_CERT_FILE, COUNTERSIGN_TLS_KEY_FILE] = ["/srv/hub.pem", "/srv/hub.key"];
  const both = readEnv({ HOME: "/h", COUNTERSIGN_TLS_CERT_FILE, COUNTERSIGN_TLS_KEY_FILE });
  assert.deepEqual(configFrom(both).server.tls, { certFile: "/srv/hub.pem", keyFile: "/srv/hub.key" });
  for (const one of [{ COUNTERSIGN_TLS_CERT_FILE }, { COUNTERSIGN_TLS_KEY_FILE }])
    assert.throws(() => readEnv({ HOME: "/h", ...one }), { code: "CONFIG_INVALID" });
  assert.equal(configFrom(readEnv({ HOME: "/h" })).server.tls, undefined);
});

test("plain HTTP stays on this machine, unless it is asked for", () => {
  const check = (env: Record<string, string>) => refusePlainHttp(configFrom(readEnv({ HOME: "/h", ...env })).server);
  const tls = { COUNTERSIGN_TLS_CERT_FILE: "/srv/hub.pem", COUNTERSIGN_TLS_KEY_FILE: "/srv/hub.key" };
  for (const COUNTERSIGN_HOST of ["127.0.0.1", "127.8.9.10", "localhost", "::1", "[::1]"]) check({ COUNTERSIGN_HOST });
  for (const COUNTERSIGN_HOST of [
    "0.0.0.0",
    "::",
    "192.0.2.7",
    "hub.example",
    "localhost.example",
    "127.0.0.1.example",
  ]) {
    assert.throws(() => check({ COUNTERSIGN_HOST }), { code: "CONFIG_INVALID" }, COUNTERSIGN_HOST);
    check({ COUNTERSIGN_HOST, ...tls });
    check({ COUNTERSIGN_HOST, COUNTERSIGN_PLAIN_HTTP: "1" });
  }
});

test("one folder for data and configuration is refused", () => {
  const both = { HOME: "/h", COUNTERSIGN_DATA_DIR: "/srv/hub", COUNTERSIGN_CONFIG_DIR: "/srv/hub" };
  assert.throws(() => configFrom(readEnv(both)), { code: "CONFIG_INVALID" });
});

test("the configuration may be logged: it holds no secret", () => {
  const env = readEnv({ HOME: "/h", DATABASE_URL: "postgres://hub:hunter2@db/hub", COUNTERSIGN_TOKEN: "cs_1_hunter2" });
  const config = configFrom(env);
  assert.equal(config.database.kind, "external");
  assert.equal(configFrom(readEnv({ HOME: "/h" })).database.kind, "embedded");
  assert.doesNotMatch(JSON.stringify([config, secretsFrom(env)]), /hunter2/);
  assert.equal(secretsFrom(env).token?.reveal(), "cs_1_hunter2");
});

test("the folders are made for this user alone", async () => {
  const source = { COUNTERSIGN_DATA_DIR: join(scratch, "data"), COUNTERSIGN_CONFIG_DIR: join(scratch, "config") };
  await prepareFolders(configFrom(readEnv(source)).folders);
  assert.deepEqual(await readdir(join(scratch, "config")), ["hub"]);
  for (const made of ["data", "config", "config/hub"]) {
    assert.equal((await stat(join(scratch, made))).mode & 0o777, 0o700, made);
  }
});

test("a folder that cannot be made stops with one sentence that names both variables", async () => {
  await writeFile(join(scratch, "a-file"), "");
  const source = { COUNTERSIGN_DATA_DIR: join(scratch, "a-file", "data"), COUNTERSIGN_CONFIG_DIR: join(scratch, "c") };
  await assert.rejects(prepareFolders(configFrom(readEnv(source)).folders), (error: Error & { code?: string }) => {
    assert.equal(error.code, "DATA_FOLDER_UNUSABLE");
    assert.match(error.message, /^[^\n]*COUNTERSIGN_DATA_DIR and COUNTERSIGN_CONFIG_DIR[^\n]*$/);
    return true;
  });
});

for (const name of ["data", "config", "cli"] as const) {
  test(`a ${name} folder that others may write is refused, with the command that mends it`, async () => {
    const place = join(scratch, `open-${name}`);
    const source = { COUNTERSIGN_DATA_DIR: join(place, "data"), COUNTERSIGN_CONFIG_DIR: join(place, "config") };
    const { folders } = configFrom(readEnv(source));
    await mkdir(folders[name], { recursive: true });
    for (const mode of [0o777, 0o720, 0o702, 0o1777]) {
      await chmod(folders[name], mode);
      await assert.rejects(prepareFolders(folders), {
        code: "DATA_FOLDER_UNUSABLE",
        message: new RegExp(`mode ${mode.toString(8)}\\)\\. Run: chmod go-w ${folders[name]}$`),
      });
    }
    await chmod(folders[name], 0o755);
    await prepareFolders(folders);
  });

  test(`a ${name} folder of another user's is refused`, {
    skip: process.geteuid?.() !== 0 && "needs root",
  }, async () => {
    const place = join(scratch, `theirs-${name}`);
    const source = { COUNTERSIGN_DATA_DIR: join(place, "data"), COUNTERSIGN_CONFIG_DIR: join(place, "config") };
    const { folders } = configFrom(readEnv(source));
    await mkdir(folders[name], { recursive: true, mode: 0o700 });
    await chown(folders[name], 65_534, 65_534);
    const message = new RegExp(`uid 65534, not 0\\)\\. Run: chown 0 ${folders[name]}$`);
    await assert.rejects(prepareFolders(folders), { code: "DATA_FOLDER_UNUSABLE", message });
    await chown(folders[name], 0, 0);
    await prepareFolders(folders);
  });
}

test("keys are embedded unless Vault is asked for, whole and in one way", () => {
  const keysOf = (env: Record<string, string>) => configFrom(readEnv({ HOME: "/h", ...env })).keys;
  assert.deepEqual(keysOf({}), { kind: "embedded", passphraseFile: undefined });
  assert.deepEqual(keysOf({ COUNTERSIGN_ROOT_PASSPHRASE_FILE: "/run/p" }), {
    kind: "embedded",
    passphraseFile: "/run/p",
  });
  const vault = { COUNTERSIGN_KEYS: "vault", COUNTERSIGN_VAULT_ADDR: "https://vault.example:8200/" };
  const token = { ...vault, COUNTERSIGN_VAULT_TOKEN_FILE: "/run/token" };
  assert.deepEqual(keysOf(token), {
    kind: "vault",
    vault: {
      address: "https://vault.example:8200",
      mount: "transit",
      auth: { method: "token", tokenFile: "/run/token" },
    },
  });
  const approle = {
    ...vault,
    COUNTERSIGN_VAULT_AUTH: "approle",
    COUNTERSIGN_VAULT_ROLE_ID: "r-1",
    COUNTERSIGN_VAULT_SECRET_ID_FILE: "/run/secret-id",
    COUNTERSIGN_VAULT_NAMESPACE: "team/hub",
    COUNTERSIGN_VAULT_MOUNT: "keys/hub",
    COUNTERSIGN_VAULT_CA_FILE: "/etc/ca.pem",
  };
  assert.deepEqual(keysOf(approle), {
    kind: "vault",
    vault: {
      address: "https://vault.example:8200",
      namespace: "team/hub",
      mount: "keys/hub",
      auth: { method: "approle", mount: "approle", roleId: "r-1", secretIdFile: "/run/secret-id" },
      caFile: "/etc/ca.pem",
    },
  });
  const jwt = { ...vault, COUNTERSIGN_VAULT_AUTH: "jwt", COUNTERSIGN_VAULT_JWT_FILE: "/run/jwt" };
  const { vault: byJwt } = keysOf({ ...jwt, COUNTERSIGN_VAULT_AUTH_MOUNT: "k8s" }) as { vault: { auth: unknown } };
  assert.deepEqual(byJwt.auth, { method: "jwt", mount: "k8s", jwtFile: "/run/jwt" });
  const without = (env: Record<string, string>, name: string) => ({ ...env, [name]: "" });
  for (const bad of [
    { COUNTERSIGN_KEYS: "vault" },
    vault,
    without(approle, "COUNTERSIGN_VAULT_ROLE_ID"),
    without(approle, "COUNTERSIGN_VAULT_SECRET_ID_FILE"),
    without(jwt, "COUNTERSIGN_VAULT_JWT_FILE"),
    { ...token, COUNTERSIGN_VAULT_ADDR: "http://vault.example:8200" },
    { ...token, COUNTERSIGN_VAULT_ADDR: "https://vault.example:8200/v1" },
    { ...token, COUNTERSIGN_VAULT_ADDR: "https://ada:secret@vault.example" },
    { ...token, COUNTERSIGN_VAULT_MOUNT: "/transit" },
    { ...token, COUNTERSIGN_VAULT_CLIENT_CERT_FILE: "/etc/client.pem" },
    { ...token, COUNTERSIGN_KEYS: "hsm" },
  ]) {
    assert.throws(() => keysOf(bad), { code: "CONFIG_INVALID" }, JSON.stringify(bad));
  }
  assert.equal(keysOf({ ...token, COUNTERSIGN_VAULT_ADDR: "http://127.0.0.1:8200" }).kind, "vault");
});
