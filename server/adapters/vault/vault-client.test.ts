import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { v7 } from "uuid";
import { KEY_NAMES } from "../../domain/keys/key-service.ts";
import type { HubError } from "../../errors.ts";
import { createEgress } from "../egress/egress.ts";
import { makeCertificate } from "../git/source.fixture.ts";
import { NOT_LET_IN } from "./refusals.ts";
import { TestVault } from "./vault.fixture.ts";
import { VaultKeyService } from "./vault-key-service.ts";
import { ROOT_TOKEN, VaultServer } from "./vault-server.fixture.ts";

const down = { code: "KEY_SERVICE_UNREACHABLE" };
const denied = { code: "KEY_SERVICE_DENIED" };
const message = Buffer.from("message");

suite("calls that fail", () => {
  async function withKey() {
    const vault = await TestVault.open();
    const [service, account] = [await vault.service(), v7()];
    await service.create(account, "data");
    return { vault, service, account, [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose]() };
  }

  test("are made again where that changes nothing, after a while that differs", async () => {
    await using hub = await withKey();
    const { vault, service, account } = hub;
    for (const fault of [500, 502, 503, "hang-up", "hang-up-after"] as const) {
      vault.pauses.splice(0);
      vault.server.faults.push(fault, fault);
      assert.match(await service.encrypt(account, "data", message), /^vault:v1:/, String(fault));
      assert.equal(vault.pauses.length, 2);
      assert.ok(vault.pauses.every((ms, index) => ms >= 0 && ms <= 100 * 2 ** index));
    }
  });

  test("are given up after three times", async () => {
    await using hub = await withKey();
    const { vault, service, account } = hub;
    const before = vault.server.seen.length;
    vault.server.faults.push(500, 500, 500, 500);
    await assert.rejects(service.encrypt(account, "data", message), down);
    assert.equal(vault.server.seen.length - before, 3);
    vault.server.faults.splice(0);
    assert.match(await service.encrypt(account, "data", message), /^vault:v1:/);
  });

  test("are not made again where the server has answered", async () => {
    await using hub = await withKey();
    const { vault, service, account } = hub;
    for (const fault of [400, 429, 405]) {
      const before = vault.server.seen.length;
      vault.server.faults.push(fault);
      await assert.rejects(service.encrypt(account, "data", message));
      assert.equal(vault.server.seen.length - before, 1, String(fault));
    }
  });

  test("are never made again where they rotate: whether it was done is for the metadata to say", async () => {
    await using hub = await withKey();
    const { vault, service, account } = hub;
    for (const [fault, version] of [
      ["hang-up-after", 2],
      ["hang-up", 2],
      [500, 2],
    ] as const) {
      const rotations = vault.server.asked("/rotate").length;
      await service.metadata(account, "data"); // rotate asks for it first; then the fault is the rotation's
      vault.server.faults.push(...([undefined, fault] as never[]));
      await assert.rejects(service.rotate(account, "data"), down);
      assert.equal(vault.server.asked("/rotate").length, rotations + 1);
      assert.equal((await service.metadata(account, "data")).latestVersion, version);
    }
  });

  test("spare a server that is gone, and find it again by themselves", async () => {
    await using vault = await TestVault.open();
    let now = 0;
    const service = await vault.service({}, { breaker: { failures: 2, openMs: 100, now: () => now } });
    const account = v7();
    await service.create(account, "data");
    await vault.server.stop();
    for (let time = 0; time < 2; time++) await assert.rejects(service.encrypt(account, "data", message), down);
    vault.pauses.splice(0);
    await assert.rejects(service.encrypt(account, "data", message), down);
    assert.equal(vault.pauses.length, 0); // nobody was asked
    await vault.server.listen();
    now = 100;
    assert.match(await service.encrypt(account, "data", message), /^vault:v1:/);
  });

  test("because it is sealed say so, and work again when it is not", async () => {
    await using vault = await TestVault.open();
    let now = 0;
    const service = await vault.service({}, { breaker: { openMs: 100, now: () => now } });
    const account = v7();
    for (const name of KEY_NAMES) await service.create(account, name);
    vault.server.sealed = true;
    for (let time = 0; time < 5; time++) {
      await assert.rejects(service.hmac(account, "mac", message), { code: "KEY_SERVICE_SEALED" });
    }
    vault.server.sealed = false;
    now = 100;
    assert.equal((await service.hmac(account, "mac", message)).version, 1);
  });

  test("for want of an engine or a namespace say where they looked", async () => {
    await using vault = await TestVault.open();
    const elsewhere = await vault.service({ mount: "elsewhere" });
    await assert.rejects(elsewhere.create(v7(), "data"), { ...down, message: /COUNTERSIGN_VAULT_MOUNT/ });
    await assert.rejects(elsewhere.list(v7()), down);
    const namespaced = await vault.service({ namespace: "nowhere" });
    await assert.rejects(namespaced.metadata(v7(), "data"), { ...down, message: /COUNTERSIGN_VAULT_NAMESPACE/ });
    vault.server.namespace = "team/hub";
    await (await vault.service({ namespace: "team/hub" })).create(v7(), "data");
  });
});

suite("signing in", () => {
  test("with AppRole or a JWT, at a mount of its own", async () => {
    await using vault = await TestVault.open();
    vault.server.appRoles.set("role-1", "secret-1");
    vault.server.jwtRoles.set("hub", "a.b.c");
    const secretIdFile = vault.file("secret-id", "secret-1\n");
    const jwtFile = vault.file("jwt", "a.b.c\n", 0o644);
    const account = v7();
    const approle = { method: "approle", mount: "approle", roleId: "role-1", secretIdFile } as const;
    await (await vault.service({ auth: approle })).create(account, "data");
    await (await vault.service({ auth: { method: "jwt", mount: "jwt", role: "hub", jwtFile } })).create(account, "mac");
    assert.deepEqual(
      vault.server.asked("/login").map(({ path, headers }) => [path, headers["x-vault-token"]]),
      [
        ["/v1/auth/approle/login", undefined],
        ["/v1/auth/jwt/login", undefined],
      ],
    );
    const wrong = { ...approle, secretIdFile: vault.file("wrong", "secret-2") };
    await assert.rejects((await vault.service({ auth: wrong })).create(account, "data"), denied);
    const nowhere = { ...approle, mount: "not-there" };
    await assert.rejects((await vault.service({ auth: nowhere })).create(account, "data"), denied);
  });

  test("that is refused is told apart from a use that is", async () => {
    await using vault = await TestVault.open();
    vault.server.addToken("hvs.narrow", { may: /^auth/ });
    const reasonOf = async (token: string) => {
      const service = await vault.service({ auth: { method: "token", tokenFile: vault.file("token", token) } });
      return service.list(v7()).then(
        () => "none",
        ({ code, details }: HubError) => [code, details?.["status"], details?.["reason"]],
      );
    };
    assert.deepEqual(await reasonOf("hvs.nobody's"), ["KEY_SERVICE_DENIED", 403, NOT_LET_IN]);
    assert.deepEqual(await reasonOf("hvs.narrow"), ["KEY_SERVICE_DENIED", 403, undefined]);
    assert.equal(await reasonOf(ROOT_TOKEN), "none");
  });

  test("is done once, however many calls need it", async () => {
    await using vault = await TestVault.open();
    vault.server.appRoles.set("role-1", "secret-1");
    const secretIdFile = vault.file("secret-id", "secret-1");
    const auth = { method: "approle", mount: "approle", roleId: "role-1", secretIdFile } as const;
    const [service, account] = [await vault.service({ auth }), v7()];
    await Promise.all(Array.from({ length: 10 }, () => service.create(account, "data")));
    assert.equal(vault.server.asked("/login").length, 1);
  });

  test("is done again where the token was taken away; the call that found out succeeds", async () => {
    await using vault = await TestVault.open();
    vault.server.appRoles.set("role-1", "secret-1");
    const secretIdFile = vault.file("secret-id", "secret-1");
    const auth = { method: "approle", mount: "approle", roleId: "role-1", secretIdFile } as const;
    const [service, account] = [await vault.service({ auth }), v7()];
    await service.create(account, "data");
    vault.server.tokens.clear();
    const made = await Promise.all(Array.from({ length: 5 }, () => service.encrypt(account, "data", message)));
    assert.equal(made.length, 5);
    assert.equal(vault.server.asked("/login").length, 2);
    // rotating too: what was refused was not carried out
    vault.server.tokens.clear();
    assert.equal((await service.rotate(account, "data")).latestVersion, 2);
  });

  test("helps nothing where the policies do not allow it", async () => {
    await using vault = await TestVault.open();
    vault.server.addToken("hvs.narrow", { may: /^(auth|transit\/(keys|decrypt))/ });
    const auth = { method: "token", tokenFile: vault.file("narrow", "hvs.narrow") } as const;
    const [service, account] = [await vault.service({ auth }), v7()];
    await service.create(account, "data");
    const before = vault.server.seen.length;
    await assert.rejects(service.encrypt(account, "data", message), denied);
    assert.deepEqual(
      vault.server.seen.slice(before).map(({ path }) => path.split("/").slice(2, 4).join("/")),
      // the last of them asks whether the key is there at all
      ["transit/encrypt", "auth/token", "transit/keys"],
    );
  });

  test("with a token file: a new token in it is taken up, and without one it stays refused", async () => {
    await using vault = await TestVault.open();
    vault.server.addToken("hvs.first");
    const tokenFile = vault.file("token", "hvs.first\n");
    let now = 0;
    const service = await vault.service({ auth: { method: "token", tokenFile } }, { now: () => now });
    const account = v7();
    await service.create(account, "data");
    vault.server.tokens.delete("hvs.first");
    await assert.rejects(service.encrypt(account, "data", message), denied);
    const lookups = vault.server.asked("/lookup-self").length;
    await assert.rejects(service.encrypt(account, "data", message), denied);
    assert.equal(vault.server.asked("/lookup-self").length, lookups); // it was looked into a moment ago
    vault.server.addToken("hvs.second");
    writeFileSync(tokenFile, "hvs.second\n");
    now = 1000;
    assert.match(await service.encrypt(account, "data", message), /^vault:v1:/);
  });

  test("anew waits for a file that is being written: refused without its name, which the log is told once", async () => {
    for (const method of ["token", "approle", "jwt"] as const) {
      await using vault = await TestVault.open();
      const reports: HubError[] = [];
      const { file, auth, secret } = signingIn(vault, method);
      const [service, account] = [
        await vault.service({ auth }, { report: (error) => reports.push(error as HubError) }),
        v7(),
      ];
      await service.create(account, "data");
      for (const [outage, lose] of [() => rmSync(file), () => writeFileSync(file, "\n")].entries()) {
        for (const token of vault.server.tokens.keys()) vault.server.tokens.delete(token);
        lose();
        for (let time = 0; time < 2; time++) {
          await assert.rejects(
            service.encrypt(account, "data", message),
            ({ code, message: told, details, cause }: HubError) => {
              assert.equal(code, "KEY_SERVICE_DENIED");
              assert.ok(!`${told}${JSON.stringify(details)}`.includes(file));
              assert.deepEqual(
                [(cause as HubError).code, (cause as HubError).details],
                ["CONFIG_INVALID", { path: file }],
              );
              return true;
            },
          );
        }
        assert.deepEqual(
          reports.map(({ code, details }) => [code, details?.["path"]]),
          Array.from({ length: outage + 1 }, () => ["CONFIG_INVALID", file]),
        );
        const next = method === "token" ? `hvs.after-${outage}` : secret;
        if (method === "token") vault.server.addToken(next);
        writeFileSync(file, next, { mode: 0o600 });
        assert.match(await service.encrypt(account, "data", message), /^vault:v1:/);
      }
    }
  });

  test("wants files that are there, hold something and are not everybody's to read", async () => {
    await using vault = await TestVault.open();
    const use = async (tokenFile: string) => {
      const service = await vault.service({ auth: { method: "token", tokenFile } });
      return service.list(v7());
    };
    const bad = { code: "CONFIG_INVALID" };
    await assert.rejects(use(join(vault.folder, "missing")), bad);
    await assert.rejects(use(vault.file("empty", "\n")), bad);
    await assert.rejects(use(vault.file("open", ROOT_TOKEN, 0o644)), bad);
    assert.deepEqual(await use(vault.file("own", ROOT_TOKEN, 0o640)), []);
  });
});

/** What a service signs in with, by each method, and where the part of it lies that is secret. */
function signingIn(vault: TestVault, method: "token" | "approle" | "jwt") {
  const secret = `secret.of.${method}`;
  const file = vault.file(method, secret);
  vault.server.appRoles.set("role-1", secret);
  vault.server.jwtRoles.set("hub", secret);
  vault.server.addToken(secret);
  const auths = {
    token: { method: "token", tokenFile: file },
    approle: { method: "approle", mount: "approle", roleId: "role-1", secretIdFile: file },
    jwt: { method: "jwt", mount: "jwt", role: "hub", jwtFile: file },
  } as const;
  return { file, secret, auth: auths[method] };
}

suite("leases", () => {
  async function leased(auth?: "approle") {
    const vault = await TestVault.open();
    vault.server.appRoles.set("role-1", "secret-1");
    vault.server.addToken("hvs.leased", { ttl: 600 });
    const timers: { ms: number; task: () => void }[] = [];
    const reports: unknown[] = [];
    const options = {
      schedule: (ms: number, task: () => void) => {
        const timer = { ms, task };
        timers.push(timer);
        return { [Symbol.dispose]: () => void timers.splice(timers.indexOf(timer), 1) };
      },
      report: (error: unknown) => void reports.push(error),
    };
    const secretIdFile = vault.file("secret-id", "secret-1");
    const tokenFile = vault.file("leased", "hvs.leased");
    const method =
      auth === "approle"
        ? ({ method: "approle", mount: "approle", roleId: "role-1", secretIdFile } as const)
        : ({ method: "token", tokenFile } as const);
    const [service, account] = [await vault.service({ auth: method }, options), v7()];
    await service.create(account, "data");
    /** Has the one timer go off, and waits until another takes its place. */
    const fire = async () => {
      const [timer] = timers.splice(0);
      assert.ok(timer);
      timer.task();
      while (timers.length === 0) await new Promise(setImmediate);
    };
    return {
      vault,
      service,
      account,
      timers,
      reports,
      fire,
      [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose](),
    };
  }

  test("are renewed when two thirds are over", async () => {
    await using hub = await leased();
    const { vault, timers, fire } = hub;
    assert.deepEqual(
      timers.map(({ ms }) => ms),
      [400_000],
    );
    vault.server.leaseSeconds = 900;
    await fire();
    assert.equal(vault.server.tokens.get("hvs.leased")?.renewals, 1);
    assert.deepEqual(
      timers.map(({ ms }) => ms),
      [600_000],
    );
  });

  test("that near an end which no renewal moves are replaced", async () => {
    await using hub = await leased("approle");
    const { vault, timers, fire } = hub;
    assert.deepEqual(
      timers.map(({ ms }) => ms),
      [800_000],
    );
    vault.server.leaseSeconds = 500;
    await fire();
    assert.equal(vault.server.asked("/renew-self").length, 1);
    assert.equal(vault.server.asked("/login").length, 2);
    assert.equal(vault.server.tokens.size, 4); // root, the test's own, and two that were made
  });

  test("are tried again where the server is not there, and the token goes on being used", async () => {
    await using hub = await leased();
    const { vault, service, account, timers, reports, fire } = hub;
    vault.server.faults.push(500);
    await fire();
    assert.equal(reports.length, 1);
    assert.deepEqual(
      timers.map(({ ms }) => ms),
      [5000],
    );
    assert.match(await service.encrypt(account, "data", message), /^vault:v1:/);
    await fire();
    assert.equal(vault.server.tokens.get("hvs.leased")?.renewals, 1);
  });

  test("whose file cannot be read in time are tried again, and the log is told once", async () => {
    await using hub = await leased();
    const { vault, timers, reports, fire } = hub;
    const file = join(vault.folder, "leased");
    vault.server.tokens.delete("hvs.leased");
    writeFileSync(file, "");
    await fire();
    await fire();
    assert.deepEqual(
      reports.map((error) => (error as HubError).code),
      ["CONFIG_INVALID"],
    );
    vault.server.addToken("hvs.second", { ttl: 600 });
    writeFileSync(file, "hvs.second");
    await fire();
    assert.deepEqual([reports.length, timers.map(({ ms }) => ms)], [1, [400_000]]);
  });

  test("of tokens that do not end are left alone", async () => {
    await using vault = await TestVault.open();
    const timers: number[] = [];
    const schedule = (ms: number) => {
      timers.push(ms);
      return { [Symbol.dispose]: () => {} };
    };
    await (await vault.service({}, { schedule })).create(v7(), "data");
    assert.deepEqual(timers, []);
  });
});

suite("nodes on standby", () => {
  test("lead on to the active one where its host was named", async () => {
    await using vault = await TestVault.open();
    await using active = await VaultServer.open();
    vault.server.standby = active.address;
    const [service, account] = [await vault.service(), v7()];
    await service.create(account, "data");
    assert.match(await service.encrypt(account, "data", message), /^vault:v1:/);
    assert.ok(active.asked("/encrypt/").length === 1);
  });

  test("are not followed elsewhere: the token would go along", async () => {
    await using vault = await TestVault.open();
    await using active = await VaultServer.open();
    vault.server.standby = active.address.replace("127.0.0.1", "localhost");
    await assert.rejects((await vault.service()).create(v7(), "data"), {
      ...down,
      message: /COUNTERSIGN_EGRESS_ALLOW/,
    });
    assert.equal(active.seen.length, 0);
    vault.server.standby = "https://127.0.0.1:1";
    await assert.rejects((await vault.service()).create(v7(), "data"), down);
    vault.server.standby = "";
    await assert.rejects((await vault.service()).create(v7(), "data"), down);
  });
});

suite("TLS", () => {
  /** Of the same authority, for the hub to present. */
  function clientCertificate(folder: string): { clientCertFile: string; clientKeyFile: string } {
    const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
    const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    openssl("req", ...made, "-keyout", "client.key", "-out", "client.csr", "-subj", "/CN=hub");
    openssl(
      "x509",
      "-req",
      "-in",
      "client.csr",
      "-CA",
      "ca.pem",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "2",
      "-out",
      "client.pem",
    );
    return { clientCertFile: join(folder, "client.pem"), clientKeyFile: join(folder, "client.key") };
  }

  test("is checked against the authorities given, and shows the hub's own certificate", async () => {
    await using files = await TestVault.open();
    const { key, cert, caFile } = makeCertificate(files.folder);
    const client = clientCertificate(files.folder);
    const tls = { key, cert, ca: readFileSync(caFile), requestCert: true, rejectUnauthorized: true };
    await using vault = await TestVault.open(tls);
    const account = v7();
    await (await vault.service({ caFile, ...client })).create(account, "data");
    const byName = vault.server.address.replace("127.0.0.1", "localhost");
    await (await vault.service({ caFile, ...client, address: byName })).create(account, "mac");
    await assert.rejects((await vault.service({ caFile })).list(account), down);
    await assert.rejects((await vault.service(client)).list(account), down);
    await assert.rejects(vault.service({ caFile: vault.file("no-ca", " ") }), { code: "CONFIG_INVALID" });
    const loose = vault.file("client.key", readFileSync(client.clientKeyFile, "utf8"), 0o644);
    await assert.rejects(vault.service({ ...client, clientKeyFile: loose }), { code: "CONFIG_INVALID" });
  });

  test("wants a certificate for the name that was asked for", async () => {
    await using files = await TestVault.open();
    const { key, cert, caFile } = makeCertificate(files.folder);
    await using vault = await TestVault.open({ key, cert });
    const egress = createEgress({ allow: ["vault.example", "localhost"], resolve: async () => ["127.0.0.1"] });
    const named = (name: string) => ({ caFile, address: vault.server.address.replace("127.0.0.1", name) });
    const service = await vault.service(named("vault.example"), { egress });
    await assert.rejects(service.list(v7()), (error: HubError) => {
      assert.equal(error.details?.["reason"], "ERR_TLS_CERT_ALTNAME_INVALID");
      return error.code === down.code;
    });
    assert.deepEqual(await (await vault.service(named("localhost"), { egress })).list(v7()), []);
  });
});

test("nothing of node-vault's own environment is heeded", async () => {
  await using vault = await TestVault.open();
  const names = {
    VAULT_ADDR: "http://127.0.0.1:1",
    VAULT_TOKEN: "hvs.x",
    VAULT_NAMESPACE: "x",
    VAULT_PREFIX: "/x",
    HTTP_PROXY: "http://127.0.0.1:1",
  };
  Object.assign(process.env, names);
  try {
    const client = await vault.client();
    await new VaultKeyService(client, "transit").create(v7(), "data");
  } finally {
    for (const name of Object.keys(names)) delete process.env[name];
  }
  assert.ok(
    vault.server.seen.every(
      ({ path, headers }) => path.startsWith("/v1/") && headers["x-vault-namespace"] === undefined,
    ),
  );
});
