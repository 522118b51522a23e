/** Stored credentials through a whole hub: kept without a secret, given by a person, used where they say and nowhere else. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CredentialsFixture, linkOf, look, PASSWORD, submit, TOKEN, USER } from "./credentials.fixture.ts";
import { ask, eventually, settledRequest } from "./test-hub.ts";
import { Wire } from "./wire.fixture.ts";

const STORE = "system_credentials_store";
const PROVIDE = "system_credentials_provide_secret";
const SCOPE = "system_credentials_update_scope";

let all: CredentialsFixture;
before(async () => {
  all = await CredentialsFixture.open();
});
after(() => all[Symbol.asyncDispose]());

const eventTypes = async (name: string): Promise<string[]> => {
  const rows = await all.git.hubs.sql<{ type: string }>("select type from event where subject = $1 order by at, id", [
    `credentials/${name}`,
  ]);
  return rows.map(({ type }) => type);
};

test("the whole way: an agent asks over MCP, a person agrees and gives the secret, and a private repository is synced", async () => {
  const { git } = all;
  const url = all.privateRepository("whole");
  const wire = new Wire(git.hubs, git.hub);
  const asked = await wire.callTool(STORE, all.input("whole"), { token: git.ada.token("agent") });
  const requestId = /approve ([0-9a-f-]{36})|"requestId":"([0-9a-f-]{36})"/.exec(JSON.stringify(asked.answer));
  const id = requestId?.[1] ?? requestId?.[2] ?? assert.fail(JSON.stringify(asked.answer));
  const { preview } = (await git.operator.done("system_approval_get_request", { requestId: id })).output as {
    preview: { headline: string };
  };
  assert.match(JSON.stringify(preview), new RegExp(`sent to ${all.host}, for every Git repository of the fleet`));
  await git.ada.decide(git.hub, id);
  const ended = await settledRequest(git.agent, id);
  assert.equal(ended.state, "executed");
  const { output } = (ended.yours ?? assert.fail("no result")).result as {
    output: { claim: { link: string; next: string } };
  };
  const { claim } = output;
  assert.match(claim.next, /^npx countersign credentials provide whole$/);
  assert.equal((await all.metadata("whole")).state, "waiting");

  const form = await look(claim.link);
  assert.equal(form.status, 200);
  for (const said of ["whole", all.host, "every Git repository", USER, "the agent"])
    assert.ok(form.text.includes(said), said);
  assert.ok(!/<script/i.test(form.text));
  const headers = ["content-security-policy", "cache-control", "referrer-policy", "x-frame-options"].map((name) =>
    form.headers.get(name),
  );
  assert.match(String(headers[0]), /default-src 'none'.*form-action 'self'.*frame-ancestors 'none'/);
  assert.deepEqual(headers.slice(1), ["no-store", "same-origin", "DENY"]);

  const given = await submit(claim.link, PASSWORD, { origin: new URL(claim.link).origin });
  assert.equal(given.status, 200, given.text);
  assert.equal((await all.metadata("whole")).state, "ready");
  assert.ok(!given.text.includes(PASSWORD));
  for (const page of [await look(claim.link), await submit(claim.link, "another-secret-9")])
    assert.equal(page.status, 410);

  await git.register("whole", url, { credential: "whole" });
  const run = await git.sync("whole");
  assert.deepEqual([run.status, run.error], ["success", null]);
  assert.ok(all.server.authorizations.every(({ path }) => path.startsWith("/private/whole/")));
  assert.ok(await eventually("last use", async () => (await all.metadata("whole")).lastUsedAt ?? undefined));
  assert.deepEqual(await eventTypes("whole"), [
    "credentials.stored",
    "credentials.secret_provided",
    "credentials.used",
  ]);
  const repository = (await git.operator.done("system_gitops_get_repository", { repository: "whole" })).output;
  assert.equal((repository["repository"] as { credential: string }).credential, "whole");
});

test("without the credential, or with another secret, the server does not show the repository", async () => {
  const { git } = all;
  const url = all.privateRepository("shut");
  await git.register("shut", url);
  assert.equal((await git.sync("shut")).error?.code, "GIT_AUTH_REQUIRED");
  await all.ready("wrong", "not-the-password-3");
  await git.register("shut-wrong", url, { credential: "wrong" });
  const refused = await git.sync("shut-wrong");
  assert.equal(refused.error?.code, "GIT_AUTH_REQUIRED");
  assert.ok(!JSON.stringify(refused).includes("not-the-password-3"));
  await all.store("empty");
  await git.register("shut-empty", url, { credential: "empty" });
  assert.equal((await git.sync("shut-empty")).error?.code, "CREDENTIAL_EMPTY");
  assert.ok((await eventTypes("empty")).includes("credentials.use_refused"));
});

test("a redirect is not followed with a credential", async () => {
  const { git } = all;
  await all.ready("led");
  const led = `https://${all.host}/redirect/${encodeURIComponent(all.privateRepository("led"))}`;
  await git.register("led", led, { credential: "led" });
  const before = all.server.requests.length;
  assert.equal((await git.sync("led")).error?.code, "GIT_UNREACHABLE");
  assert.ok(all.server.requests.slice(before).every((path) => path.startsWith("/redirect/")));
});

test("a claim's code lets in once, and nobody else's page, guess or method does", async () => {
  const { git } = all;
  const { claim } = await all.store("guarded");
  const { origin } = new URL(claim.link);
  for (const headers of [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "null", "sec-fetch-site": "same-origin" },
  ])
    assert.equal((await submit(claim.link, PASSWORD, headers as Record<string, string>)).status, 403);
  const code = claim.link.split("/").at(-1) ?? "";
  const wrong = code.replace(/.$/, (last) => (last === "A" ? "E" : "A"));
  for (const link of [linkOf(git.hub, wrong), linkOf(git.hub, "csc_nothing"), linkOf(git.hub, "")])
    assert.equal((await look(link)).status, 404, link);
  assert.equal((await look(claim.link, { method: "DELETE" })).status, 405);
  assert.equal(
    (await look(claim.link, { method: "POST", body: "{}", headers: { "content-type": "application/json" } })).status,
    415,
  );
  assert.equal((await submit(claim.link, "")).status, 400);
  const unfit = await submit(claim.link, "two\nlines-secret");
  assert.equal(unfit.status, 400);
  assert.ok(unfit.text.includes("one line") && !unfit.text.includes("lines-secret"));
  // the code is for its page alone
  const used = await fetch(git.hub.at("/v1/actions/system_identity_whoami"), {
    method: "POST",
    headers: { authorization: `Bearer ${code}` },
  });
  assert.equal(used.status, 401);
  assert.equal((await submit(claim.link, PASSWORD, { origin })).status, 200);
  await git.hubs.sql("update credential_claim set expires_at = now() - interval '1 second' where used_at is null");
  const { claim: late } = await all.store("late");
  await git.hubs.sql("update credential_claim set expires_at = now() - interval '1 second' where used_at is null");
  assert.equal((await submit(late.link, PASSWORD)).status, 410);
  assert.equal((await all.metadata("late")).state, "waiting");
  assert.ok(!git.hub.log().includes(code.slice(-20)), "the code is in no log");
});

test("a rotation leaves the old secret until the new one is given; a newer claim takes an older one's place", async () => {
  const { git } = all;
  await all.ready("turned", "an-old-password-4");
  const rotate = () => git.run("system_credentials_rotate", { name: "turned" });
  const first = (await rotate()) as { claim: { link: string } };
  const second = (await rotate()) as { claim: { link: string } };
  assert.equal((await submit(first.claim.link, PASSWORD)).status, 410);
  assert.equal((await all.metadata("turned")).materialVersion, 1);
  assert.equal((await submit(second.claim.link, PASSWORD)).status, 200);
  const { version, materialVersion } = await all.metadata("turned");
  assert.deepEqual([version, materialVersion], [3, 2]);
  await git.register("turned", all.privateRepository("turned"), { credential: "turned" });
  assert.equal((await git.sync("turned")).status, "success");
});

test("who asked for a claim and may not call any more lets nobody in by it", async () => {
  const { git } = all;
  await all.store("asked");
  const requestId = await ask(git.agent, "system_credentials_rotate", { name: "asked" });
  await git.ada.decide(git.hub, requestId);
  const ended = await settledRequest(git.agent, requestId);
  const { output } = (ended.yours ?? assert.fail("no result")).result as { output: { claim: { link: string } } };
  const { principal } = (await git.agent.done("system_identity_whoami")).output as { principal: { id: string } };
  const about = { principalId: principal.id, reason: "to see what becomes of its claims" };
  await git.operator.done("system_identity_ban_principal", about);
  assert.equal((await look(output.claim.link)).status, 403);
  assert.equal((await submit(output.claim.link, PASSWORD)).status, 403);
  await git.run("system_identity_unban_principal", about);
  assert.equal((await submit(output.claim.link, PASSWORD)).status, 200);
});

test("the plain door takes a secret from a person, and from nobody's model", async () => {
  const { git } = all;
  await all.store("plain");
  const wire = new Wire(git.hubs, git.hub);
  const body = { name: "plain", secret: PASSWORD };
  const overMcp = await wire.callTool(PROVIDE, body, { token: git.ada.token() });
  assert.match(JSON.stringify(overMcp.answer), /error/);
  await wire.refused(
    "an agent without the claim",
    PROVIDE,
    { token: git.ada.token("agent"), body },
    { code: "FORBIDDEN" },
  );
  const unknown = { ...body, "hunter-two-secret": "hunter-two-secret" };
  const told = await wire.refused(
    "a field that nobody knows",
    PROVIDE,
    { token: git.ada.token(), body: unknown },
    { code: "INPUT_INVALID" },
  );
  assert.ok(!JSON.stringify(told).includes("hunter"));
  const keyed = { token: git.ada.token(), body, headers: { "idempotency-key": "secret-once" } };
  await wire.accepted(PROVIDE, keyed);
  const kept = await git.hubs.sql("select from idempotency where action = $1", [PROVIDE]);
  assert.equal(kept.length, 0);
  await wire.refused("nobody asked for another", PROVIDE, { token: git.ada.token(), body }, { code: "CLAIM_EXPIRED" });
});

test("a policy that asks people about giving a secret forbids it: it cannot wait", async () => {
  const { git } = all;
  await all.store("policy");
  const { output } = await git.operator.done("system_policy_get");
  const rule = {
    id: "test/ask",
    why: "Try it.",
    actions: [PROVIDE],
    outcome: { approve: 1, holding: "system.approval.decide" },
  };
  const document = {
    apiVersion: "countersign/v1",
    kind: "Policy",
    authorization: { cedar: "" },
    intervention: { rules: [rule] },
  };
  await git.run("system_policy_put", { document, baseVersion: output.version });
  await assert.rejects(git.operator.call(PROVIDE, { name: "policy", secret: PASSWORD }), {
    code: "APPROVAL_UNSUPPORTED",
  });
  const { output: now } = await git.operator.done("system_policy_get");
  const plain = { ...document, intervention: { rules: [] } };
  await git.run("system_policy_put", { document: plain, baseVersion: now.version });
  assert.equal((await git.operator.call(PROVIDE, { name: "policy", secret: PASSWORD })).status, "done");
});

test("hosts and consumers hold: at registration, at each use, and widening them says so and is two-person", async () => {
  const { git } = all;
  const url = all.privateRepository("scoped");
  await all.ready("scoped", PASSWORD, { consumers: ["gitops/scoped"] });
  await all.ready("elsewhere", PASSWORD, { allowedHosts: ["git.example.com"] });
  await all.ready("token", TOKEN, { kind: "bearer-token", username: undefined });
  const register = (name: string, credential: string) => git.register(name, url, { credential });
  await assert.rejects(register("other", "scoped"), { code: "CREDENTIAL_SCOPE_REFUSED" });
  await assert.rejects(register("scoped", "elsewhere"), { code: "CREDENTIAL_SCOPE_REFUSED" });
  await assert.rejects(register("scoped", "token"), { code: "INPUT_INVALID" });
  await assert.rejects(register("scoped", "nobodys"), { code: "NOT_FOUND" });
  await register("scoped", "scoped");
  assert.equal((await git.sync("scoped")).status, "success");

  await git.operator.done(SCOPE, { name: "scoped", allowedHosts: ["git.example.com"], widen: false }).then(
    () => assert.fail("another host is more than before"),
    (error: { code: string; path: string }) => assert.deepEqual([error.code, error.path], ["INPUT_INVALID", "widen"]),
  );
  const hosts = [all.host, "git.example.com"];
  await assert.rejects(git.operator.call(SCOPE, { name: "scoped", allowedHosts: hosts }), { code: "INPUT_INVALID" });
  const requestId = await ask(git.agent, SCOPE, { name: "scoped", allowedHosts: hosts, widen: true });
  const { demand } = (await git.operator.done("system_approval_get_request", { requestId })).output as {
    demand: unknown;
  };
  assert.match(JSON.stringify(demand ?? ""), /two|2/);
  await git.ada.decide(git.hub, requestId);
  assert.equal((await settledRequest(git.agent, requestId)).state, "executed");
  // narrowing waits for nobody
  await git.operator.done(SCOPE, { name: "scoped", allowedHosts: ["git.example.com"] });
  const run = await git.sync("scoped");
  assert.equal(run.error?.code, "CREDENTIAL_SCOPE_REFUSED");
  const [refused] = await git.hubs.sql<{ data: Record<string, unknown> }>(
    "select data from event where subject = 'credentials/scoped' and type = 'credentials.use_refused'",
  );
  assert.deepEqual(
    [refused?.data["code"], refused?.data["host"], refused?.data["consumer"]],
    ["CREDENTIAL_SCOPE_REFUSED", all.host, "gitops/scoped"],
  );
});

test("a test opens it, and with an address uses it there once", async () => {
  const { git } = all;
  const url = all.privateRepository("tried");
  await all.ready("tried");
  await all.ready("tried-wrong", "not-the-password-5");
  await all.ready("api", TOKEN, { kind: "bearer-token", username: undefined });
  const tried = async (name: string, at?: string) =>
    (await git.operator.done("system_credentials_test", { name, url: at })).output["tried"] as {
      accepted: boolean;
      code: string | null;
    };
  assert.equal(await tried("tried"), null);
  assert.deepEqual(
    [(await tried("tried", url)).accepted, (await tried("tried-wrong", url)).code],
    [true, "GIT_AUTH_REQUIRED"],
  );
  assert.equal((await tried("api", `https://${all.host}/api`)).accepted, true);
  await all.ready("api-wrong", "no-token-of-the-api", { kind: "bearer-token", username: undefined });
  const refused = await tried("api-wrong", `https://${all.host}/api`);
  assert.deepEqual([refused.accepted, refused.code], [false, "FORBIDDEN"]);
  await assert.rejects(tried("tried", "https://git.example.com/a/b"), { code: "CREDENTIAL_SCOPE_REFUSED" });
  await assert.rejects(tried("tried", "http://localhost/a"), { code: "REPOSITORY_URL_REFUSED" });
  await assert.rejects(tried("api", "http://localhost/a"), { code: "INPUT_INVALID" });
});

test("what a repository uses is not deleted; afterwards its name is free, and no row of its id counts any more", async () => {
  const { git } = all;
  await all.ready("gone");
  await git.register("gone", all.privateRepository("gone"), { credential: "gone" });
  assert.deepEqual((await all.metadata("gone")).usedBy, ["gitops/gone"]);
  await assert.rejects(git.run("system_credentials_delete", { name: "gone" }), { code: "IN_USE" });
  await git.run("system_gitops_remove_repository", { repository: "gone" });
  await git.run("system_credentials_delete", { name: "gone" });
  await assert.rejects(all.metadata("gone"), { code: "NOT_FOUND" });
  await all.store("gone");
});

test("another account's credential is as unknown as any other, to be seen, used and given", async () => {
  const { git } = all;
  await all.store("ours");
  const eve = (await git.hubs.addAccount("Eve")).operator(git.hub);
  for (const [action, more] of [
    ["system_credentials_get_metadata", {}],
    ["system_credentials_test", {}],
    [PROVIDE, { secret: PASSWORD }],
    [SCOPE, { consumers: ["gitops/eve"] }],
    ["system_credentials_rotate", {}],
  ] as const) {
    const said = async (name: string) => {
      const error = await eve.call(action, { name, ...more }).then(
        ({ status }) => assert.fail(`${action} was ${status}`),
        (thrown: { code: string; message: string }) => thrown,
      );
      return [error.code, error.message.replaceAll(name, "<name>")];
    };
    assert.deepEqual(await said("ours"), await said("nobodys"));
    assert.equal((await said("ours"))[0], "NOT_FOUND");
  }
  assert.deepEqual((await eve.done("system_credentials_list")).output["items"], []);
  assert.equal((await all.metadata("ours")).version, 1);
});
