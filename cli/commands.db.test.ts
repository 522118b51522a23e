import assert from "node:assert/strict";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { AGENT } from "./context.ts";
import { changeOneByte } from "./demo/scratch-database.ts";
import { type Ended, runCommand, ScratchHome, ScratchHub } from "./scratch-hub.fixture.ts";

const MODULE = {
  kind: "Module",
  name: "nginx",
  spec: { version: "1.0.0", source: "https://modules.example/nginx", digest: `sha256:${"0".repeat(64)}` },
};

let hub: ScratchHub;
before(async () => {
  hub = await ScratchHub.open();
});
after(() => hub[Symbol.asyncDispose]());

/** The one document that a command with --json prints. */
function documentOf({ out }: Ended) {
  assert.ok(out.endsWith("\n"));
  return JSON.parse(out);
}

/** No character that a terminal acts on, but line feeds. */
function assertHarmless(text: string): void {
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
}

async function ask(name: string): Promise<string> {
  const input = JSON.stringify({ object: { ...MODULE, name } });
  const asked = await hub.run("call", "system_fleet_put_object", "--as", AGENT, "--json", input);
  assert.equal(asked.code, 4, asked.err);
  return documentOf(asked).approval.requestId;
}

describe("deciding", () => {
  it("shows the preview, signs, and tells how the call ended", async () => {
    const id = await ask("decided");
    const { code, out, err } = await hub.run("approve", id, "--yes");
    assert.equal(code, 0, err);
    assert.match(err, /agent asks to create Module\/decided/);
    assert.match(err, /spec\.source\n {4}\+ https:\/\/modules\.example\/nginx/);
    assert.match(out, /^Signed and executed\. Receipts: \S+\.intent and \.outcome\n$/);
    const again = await hub.run("approve", id, "--yes", "--json");
    assert.equal(again.code, 3);
    assert.equal(documentOf(again).error.code, "APPROVAL_DECIDED");
  });

  it("signs nothing where nobody is asked", async () => {
    const id = await ask("unsigned");
    const { code, err } = await hub.run("approve", id);
    assert.equal(code, 3);
    assert.match(err, /CONFIRMATION_DECLINED: Nothing was signed/);
    const veto = await hub.run("reject", id, "--reason", "not now", "--yes");
    assert.equal(veto.code, 0, veto.err);
    assert.match(veto.out, /the request is denied/);
  });

  it("refuses a request that is not there, and an agent's token", async () => {
    const unknown = await hub.run("approve", "0193a000-0000-7000-8000-000000000001", "--yes");
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /NOT_FOUND/);
    const id = await ask("agents");
    const agent = { ...hub.env, COUNTERSIGN_TOKEN: hub.folder.token(AGENT) };
    const refused = await runCommand(agent, ["approve", id, "--yes"]);
    assert.equal(refused.code, 3);
    assert.match(refused.err, /DECISION_NOT_ALLOWED/);
  });
});

describe("joining", () => {
  async function invite(name: string) {
    const invited = await hub.run("invite", name, "--yes", "--json");
    assert.equal(invited.code, 0, invited.err);
    return documentOf(invited) as { code: string; rootKey: string; command: string };
  }

  it("takes a code once, pins the root key, and verifies receipts with it", async () => {
    const { code, rootKey, command } = await invite("Ben");
    assert.ok(command.endsWith(`npx countersign join ${code} --root-key ${rootKey}`));
    const ben = hub.envOf("ben");
    const joined = await runCommand(ben, ["join", code, "--root-key", rootKey]);
    assert.equal(joined.code, 0, joined.err);
    assert.match(joined.out, /You are Ben \(operator, approver\)/);
    const twice = await runCommand(ben, ["join", code]);
    assert.equal(twice.code, 1);
    assert.match(twice.err, /ALREADY_EXISTS: .*belongs to an account already/);
    const other = await runCommand(hub.envOf("thief"), ["join", code]);
    assert.equal(other.code, 1);
    assert.match(other.err, /CONFLICT: .*accepted/);

    const own = { ...ben };
    delete own["COUNTERSIGN_URL"];
    const tail = await runCommand(own, ["journal", "tail", "--once", "--json", "--lines", "1"]);
    const [{ id }] = documentOf(tail);
    const shown = await runCommand(own, ["journal", "show", id, "--json"]);
    assert.equal(shown.code, 0, shown.err);
    assert.equal(documentOf(shown).rootKeyPinned, true);
  });

  it("finds out that it had joined where the answer was lost", async () => {
    const { code } = await invite("Dora");
    const dora = hub.envOf("dora");
    assert.equal((await runCommand(dora, ["join", code])).code, 0);
    rmSync(join(hub.path, "people/dora/cli/hub.json"));
    const again = await runCommand(dora, ["join", code]);
    assert.equal(again.code, 0, again.err);
    assert.match(again.out, /You are Dora/);
    assert.equal((await runCommand(dora, ["approvals"])).code, 0);
  });

  it("refuses another root key when a receipt is looked at", async () => {
    const { code } = await invite("Eve");
    const eve = hub.envOf("eve");
    const wrong = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    assert.equal((await runCommand(eve, ["join", code, "--root-key", "x"])).code, 2);
    assert.equal((await runCommand(eve, ["join", code, "--root-key", wrong])).code, 0);
    const [{ id }] = documentOf(await hub.run("journal", "tail", "--once", "--json", "--lines", "1"));
    const shown = await runCommand(eve, ["journal", "show", id]);
    assert.equal(shown.code, 6);
    assert.match(shown.err, /PROOF_INVALID: .*root key/);
  });

  it("refuses codes that open nothing, and leaves the folder free to join with another", async () => {
    const { code } = await invite("Finn");
    const wrong = `${code.slice(0, -2)}${code.endsWith("AA") ? "EA" : "AA"}`;
    const finn = hub.envOf("finn");
    for (const bad of [wrong, "csi_x", code.slice(0, -1)]) {
      const refused = await runCommand(finn, ["join", bad, "--json"]);
      assert.equal(refused.code, 3, refused.out);
      assert.equal(documentOf(refused).error.code, "INVITATION_INVALID");
    }
    assert.equal((await runCommand(finn, ["join", code])).code, 0);
  });
});

describe("tokens", () => {
  it("are issued with one's own signature, kept under a name, used, listed and revoked", async () => {
    const { items } = documentOf(await hub.run("tokens", "--json"));
    const agent = items.find((item: { kind: string }) => item.kind === "agent");
    const issued = await hub.run("tokens", "issue", agent.id, "--note", "for CI", "--save", "ci", "--yes");
    assert.equal(issued.code, 0, issued.err);
    const secret = hub.folder.token("ci") ?? "";
    assert.match(secret, /^cs_/);
    assert.ok(!`${issued.out}${issued.err}`.includes(secret), "a token that is kept is not printed");
    const call = () => hub.run("call", "system_identity_whoami", "--as", "ci", "--json");
    const { token } = documentOf(await call()).output;
    const listed = await hub.run("tokens");
    assert.match(listed.out, new RegExp(`agent +${agent.id} +${token.id} .*for CI`));
    assert.equal((await hub.run("tokens", "revoke", token.id)).code, 0);
    const revoked = await call();
    assert.equal(revoked.code, 3);
    assert.equal(documentOf(revoked).error.code, "TOKEN_REVOKED");
  });
});

describe("the journal", () => {
  it("shows receipts and events in the order of their time, without its own looks", async () => {
    await hub.run("call", "system_identity_whoami", "--as", AGENT);
    const { code, out, err } = await hub.run("journal", "tail", "--once", "--lines", "100000", "--json");
    assert.equal(code, 0, err);
    const lines: { what: string; at: string; action?: string; type?: string }[] = JSON.parse(out);
    assert.deepEqual(
      lines.map((l) => l.at),
      lines.map((l) => l.at).toSorted(),
    );
    assert.ok(lines.some((l) => l.what === "event" && l.type === "approval.executed"));
    assert.ok(lines.some((l) => l.what === "receipt" && l.action === "system_identity_whoami"));
    const few = await hub.run("journal", "tail", "--once", "-n", "3");
    assert.equal(few.out.trimEnd().split("\n").length, 3);
    assert.equal((await hub.run("journal", "tail", "--once", "-n", "few")).code, 2);
  });

  it("is verified beside the running hub, and by it", async () => {
    for (const args of [[], ["--remote"]]) {
      const { code, out, err } = await hub.run("journal", "verify", "--json", ...args);
      assert.equal(code, 0, err);
      const { ok, accounts } = JSON.parse(out);
      assert.equal(ok, true);
      assert.equal(accounts.length, 1);
      assert.ok(accounts[0].receipts > 10);
    }
  });

  it("is refused where it rests on another root key than the pinned one", async () => {
    const path = join(hub.path, "config/cli/hub.json");
    const text = readFileSync(path, "utf8");
    const wrong =
      "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    hub.folder.saveHub({ ...JSON.parse(text), rootKey: wrong });
    const { code, out } = await hub.run("journal", "verify");
    writeFileSync(path, text);
    assert.equal(code, 6);
    assert.match(out, /does NOT hold/);
    assert.equal((await hub.run("journal", "verify")).code, 0);
  });

  it("names an entry in which one byte was changed", async () => {
    const id = await ask("tampered");
    const { executionCallId } = documentOf(await hub.run("approve", id, "--yes", "--json"));
    await changeOneByte(hub.dataDir, `${executionCallId}.outcome`);
    const { code, out } = await hub.run("journal", "verify", "--json");
    assert.equal(code, 6);
    assert.equal(JSON.parse(out).accounts[0].firstBad.receiptId, `${executionCallId}.outcome`);
    const shown = await hub.run("journal", "show", `${executionCallId}.outcome`);
    assert.equal(shown.code, 6);
    assert.match(shown.err, /PROOF_INVALID/);
    await changeOneByte(hub.dataDir, `${executionCallId}.outcome`);
  });

  it("says where there is none", async () => {
    await using home = new ScratchHome();
    const { code, err } = await home.run("journal", "verify");
    assert.equal(code, 2);
    assert.match(err, /CONFIG_INVALID: There is no hub's database/);
  });
});

describe("answers", () => {
  it("are one JSON document each, refusals too", async () => {
    const commands = [
      ["call", "system_identity_whoami"],
      ["call", "system_no_such_tool"],
      ["call", "system_fleet_get_object", '{"kind":"Module"}'],
      ["approvals"],
      ["approvals", "--state", "nonsense"],
      ["tokens"],
      ["policy"],
      ["policy", "simulate", "system_fleet_list_objects"],
      ["approve", "x"],
      ["approve"],
      ["nonsense"],
      [],
    ];
    for (const args of commands) {
      const { out, code } = await hub.run(...args, "--json");
      const document = JSON.parse(out);
      assert.equal(code !== 0, "error" in document, args.join(" "));
    }
  });

  it("show no token, and text of others cannot move the cursor", async () => {
    const { out } = await hub.run("call", "system_identity_list_principals", "--json");
    assert.ok(!out.includes(hub.folder.token(AGENT)?.slice(-20) ?? "?"));
    const object = { ...MODULE, name: "hostile", annotations: { note: "\u001b[2J\u202ereversed" } };
    const asked = await hub.run("call", "system_fleet_put_object", "--json", JSON.stringify({ object }));
    const { err, out: answer } = await hub.run("approve", documentOf(asked).approval.requestId, "--yes");
    assertHarmless(err + answer);
    const read = await hub.run("call", "system_fleet_get_object", '{"kind":"Module","name":"hostile"}');
    assertHarmless(read.out);
  });
});

describe("what is not there", () => {
  it("is said in one sentence: no hub in the folder, no token, a hub that does not answer, one that is none", async () => {
    await using home = new ScratchHome();
    for (const args of [["approvals"], ["stdio", "--no-start"], ["journal", "tail"]]) {
      const { code, out, err } = await home.run(...args);
      assert.equal(code, 2);
      assert.equal(out, "");
      assert.match(err, /^CONFIG_INVALID: There is no hub in [^\n]*npx countersign start[^\n]*\n$/);
    }
    const nameless = await hub.run("stdio", "--as", "nobody");
    assert.match(nameless.err, /^CONFIG_INVALID: There is no token "nobody" in [^\n]*\n$/);

    const server = createServer((_, response) => response.end("<html>")).listen(0, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    const { port } = server.address() as { port: number };
    const foreign = { ...hub.env, COUNTERSIGN_URL: `http://127.0.0.1:${port}/mcp` };
    const refused = await runCommand(foreign, ["approvals"]);
    assert.equal(refused.code, 2);
    assert.match(
      refused.err,
      /^CONFIG_INVALID: COUNTERSIGN_URL names another hub/,
      "a token goes to its own hub alone",
    );
    const env = { ...foreign, COUNTERSIGN_TOKEN: "cs_a_token_of_that_hub" };
    const none = await runCommand(env, ["approvals"]);
    await new Promise((closed) => server.close(closed));
    assert.match(none.err, /not as a hub does|does not understand/);
    assert.notEqual(none.code, 0);
    const gone = await runCommand(env, ["approvals"]);
    assert.equal(gone.code, 5);
    assert.match(
      gone.err,
      /HUB_UNREACHABLE: No hub answers at http:\/\/127\.0\.0\.1:\d+\. Start it: npx countersign start/,
    );
  });

  it("refuses a token file that others can read", async () => {
    const file = join(hub.path, "config/cli/operator.token");
    chmodSync(file, 0o644);
    const { code, err } = await hub.run("approvals");
    chmodSync(file, 0o600);
    assert.equal(code, 2);
    assert.match(err, /CONFIG_INVALID: Others can read/);
  });
});
