/** What people are told about stored credentials: what comes next, what was refused, and where to look. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CredentialsFixture, look, PASSWORD, submit } from "./credentials.fixture.ts";
import { ask } from "./test-hub.ts";

const STORE = "system_credentials_store";
const SCOPE = "system_credentials_update_scope";
const PUBLIC = "https://hub.example.org";

let all: CredentialsFixture;
before(async () => {
  all = await CredentialsFixture.open();
});
after(() => all[Symbol.asyncDispose]());

const requests = async () =>
  Number((await all.git.hubs.sql<{ n: string }>("select count(*) as n from approval_request"))[0]?.n);

test("a place that the hub never connects to is refused before anybody is asked; a public one is asked for", async () => {
  const { git } = all;
  const before = await requests();
  for (const host of ["169.254.169.254", "[fe80::1]", "10.1.2.3:8443"])
    await assert.rejects(
      git.operator.call(STORE, all.input("metadata", { allowedHosts: ["git.example.com", host] })),
      { code: "EGRESS_REFUSED", path: "allowedHosts" },
      host,
    );
  assert.equal(await requests(), before);
  await ask(git.agent, STORE, all.input("public", { allowedHosts: ["93.184.215.14"] }));
  assert.equal(await requests(), before + 1);
});

test("neither is a scope widened to one; what was kept before may be narrowed", async () => {
  const { git } = all;
  await all.store("older", { allowedHosts: ["git.example.com", "b.example.com"] });
  const widened = { name: "older", allowedHosts: ["git.example.com", "169.254.169.254"], widen: true };
  await assert.rejects(git.operator.call(SCOPE, widened), { code: "EGRESS_REFUSED", path: "allowedHosts" });
  await ask(git.agent, SCOPE, { ...widened, allowedHosts: ["git.example.com", "93.184.215.14"] });
  await git.operator.done(SCOPE, { name: "older", allowedHosts: ["git.example.com"] });
});

test("whoever agrees is told that a person gives the secret, and how", async () => {
  const { git } = all;
  const stored = await ask(git.agent, STORE, all.input("next"));
  await git.ada.decide(git.hub, stored);
  await all.ready("replaced");
  const rotated = await ask(git.agent, "system_credentials_rotate", { name: "replaced" });
  for (const [requestId, name] of [
    [stored, "next"],
    [rotated, "replaced"],
  ]) {
    const { output } = await git.operator.done("system_approval_get_request", { requestId });
    assert.ok(JSON.stringify(output["changes"]).includes(`npx countersign credentials provide ${name}`), name);
  }
});

test("a use that is refused names what was asked for, and not what would be let through", async () => {
  const { git } = all;
  const url = all.privateRepository("outside");
  await all.ready("narrow", PASSWORD, {
    consumers: ["gitops/secret-project"],
    allowedHosts: [all.host, "hidden.example.com"],
  });
  for (const use of [
    () => git.register("outside", url, { credential: "narrow" }),
    () => git.operator.call("system_credentials_test", { name: "narrow", url: "https://other.example.com/a.git" }),
  ])
    await assert.rejects(use(), (error: { code: string; message: string; details: object }) => {
      assert.equal(error.code, "CREDENTIAL_SCOPE_REFUSED");
      const told = error.message + JSON.stringify(error.details);
      assert.ok(!/secret-project|hidden\.example/.test(told), told);
      assert.match(told, /may not be used by gitops\/outside|other\.example\.com.*system_credentials_get_metadata/);
      return true;
    });
});

test("an empty secret shows the form again, with what was wrong; a claim that is used up shows none", async () => {
  const { claim } = await all.store("emptied");
  for (const nothing of ["", "\r\n"]) {
    const again = await submit(claim.link, nothing);
    assert.equal(again.status, 400);
    assert.match(again.text, /<form method="post"/);
    assert.match(again.text, /class="wrong"/);
  }
  assert.equal((await submit(claim.link, PASSWORD)).status, 200);
  const over = await submit(claim.link, "");
  assert.equal(over.status, 410);
  assert.ok(!over.text.includes("<form"));
});

test("links begin with the hub's public address, where it has one, and pages answer there", async () => {
  const { git } = all;
  const { claim: plain } = await all.store("at-home");
  assert.ok(plain.link.startsWith(new URL(git.hub.url).origin));
  await git.hub.stop(); // of two hubs either may carry out what was agreed to
  const hub = await git.hubs.start({ ...all.env, COUNTERSIGN_PUBLIC_URL: `${PUBLIC}/` });
  const { claim } = await git.ada.run(hub, STORE, all.input("abroad"));
  const { link } = claim as { link: string };
  assert.ok(link.startsWith(`${PUBLIC}/claims/csc_`), link);
  // as a proxy sends it on
  const here = hub.at(new URL(link).pathname).href;
  assert.equal((await look(here)).status, 200);
  assert.equal((await submit(here, PASSWORD, { origin: "https://evil.example" })).status, 403);
  assert.equal((await submit(here, PASSWORD, { origin: PUBLIC })).status, 200);
  await hub.stop();
});
