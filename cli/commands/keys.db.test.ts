import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { keyId } from "../../contracts/formats/ed25519.ts";
import { AGENT } from "../context.ts";
import { type Ended, runCommand, ScratchHub } from "../scratch-hub.fixture.ts";
import { GpgHome, hasGpg } from "../signing/gpg-home.fixture.ts";

const MODULE = {
  kind: "Module",
  spec: { version: "1.0.0", source: "https://modules.example/nginx", digest: `sha256:${"0".repeat(64)}` },
};
/** Signing secrets are the user's own gpg's: without one there is nothing to try. */
const options = { skip: hasGpg ? false : "gpg is not installed" };

let hub: ScratchHub;
let gpg: GpgHome;
before(async () => {
  gpg = new GpgHome();
  hub = await ScratchHub.open();
});
after(async () => {
  gpg[Symbol.dispose]();
  await hub[Symbol.asyncDispose]();
});

const run = (...args: string[]): Promise<Ended> => runCommand({ ...hub.env, ...gpg.env }, args);
const json = ({ out }: Ended) => JSON.parse(out);

async function done(...args: string[]): Promise<Ended> {
  const ended = await run(...args);
  assert.equal(ended.code, 0, ended.err);
  return ended;
}

async function refused(code: string, ...args: string[]): Promise<void> {
  const ended = await run(...args, "--json");
  assert.equal(json(ended).error?.code, code, ended.out);
}

async function ask(name: string): Promise<string> {
  const input = JSON.stringify({ object: { ...MODULE, name } });
  return json(await hub.run("call", "system_fleet_put_object", "--as", AGENT, "--json", input)).approval.requestId;
}

const idOf = (fingerprint: string) => `openpgp:${fingerprint.toLowerCase()}`;

describe("a key in gpg", options, () => {
  it("is enrolled by its fingerprint, signs an approval, and the journal verifies", async () => {
    const fingerprint = gpg.key("Ada <ada@people.example>");
    const { key, renewed } = json(await done("keys", "add-openpgp", fingerprint, "--yes", "--json"));
    assert.deepEqual([key.id, key.state, renewed], [idOf(fingerprint), "live", false]);
    const { items } = json(await done("keys", "list", "--json"));
    assert.deepEqual(items.map((one: { algorithm: string }) => one.algorithm).sort(), ["ed25519", "openpgp"]);

    const id = await ask("by-gpg");
    const { out, err } = await done("approve", id, "--gpg", "--yes");
    assert.match(err, /agent asks to create Module\/by-gpg/);
    assert.match(out, /^Signed and executed/);
    const detail = json(await done("call", "system_approval_get_request", "--json", JSON.stringify({ requestId: id })));
    const [decision] = detail.decisions ?? detail.output.decisions;
    assert.deepEqual([decision.keyId, decision.assurance], [idOf(fingerprint), "signed"]);
    await done("journal", "verify");
  });

  it("is not enrolled where nobody is asked, nor by anything that is no usable key", async () => {
    const fingerprint = gpg.key("Another <another@people.example>");
    await refused("CONFIRMATION_DECLINED", "keys", "add-openpgp", fingerprint);
    await refused("NOT_FOUND", "keys", "add-openpgp", "f".repeat(40), "--yes");
    await refused("INPUT_INVALID", "keys", "add-openpgp", join(hub.path, "nowhere"), "--yes");
    const expired = gpg.key("Old <old@people.example>", "1d", "20260101T000000");
    await refused("INPUT_INVALID", "keys", "add-openpgp", expired, "--yes");
  });

  it("that is private is refused before it leaves the machine", async () => {
    const fingerprint = gpg.fingerprint("ada@people.example");
    const file = join(hub.path, "private.asc");
    for (const args of [["--armor"], []]) {
      writeFileSync(file, gpg.run(...args, "--export-secret-keys", fingerprint));
      const nowhere = { ...hub.env, ...gpg.env, COUNTERSIGN_URL: "http://127.0.0.1:9/mcp", COUNTERSIGN_TOKEN: "none" };
      const ended = await runCommand(nowhere, ["keys", "add-openpgp", file, "--yes"]);
      assert.equal(ended.code, 2);
      assert.match(ended.err, /INPUT_INVALID: .*PRIVATE key/);
    }
  });

  it("is renewed after it was extended", async () => {
    const fingerprint = gpg.fingerprint("ada@people.example");
    const listed = async () => json(await done("keys", "list", "--json")).items;
    const endOf = (items: { id: string; expiresAt?: string }[]) =>
      items.find(({ id }) => id === idOf(fingerprint))?.expiresAt ?? "";
    const earlier = endOf(await listed());
    gpg.run("--quick-set-expire", fingerprint, "5y");
    gpg.run("--quick-set-expire", fingerprint, "5y", "*");
    const file = join(hub.path, "renewed.asc");
    writeFileSync(file, gpg.run("--export", fingerprint));
    assert.equal(json(await done("keys", "add-openpgp", file, "--yes", "--json")).renewed, true);
    assert.ok(endOf(await listed()) > earlier);
  });
});

describe("signing elsewhere", options, () => {
  it("sends what was written, signed and brought back", async () => {
    const id = await ask("elsewhere");
    const file = join(hub.path, "elsewhere.statement");
    const { next } = json(await done("approve", id, "--print-statement", file, "--json"));
    assert.equal(next.length, 2);
    await refused("ALREADY_EXISTS", "approve", id, "--print-statement", file);
    assert.match(readFileSync(file, "utf8"), /^DSSEv1 28 application\/vnd\.in-toto\+json \d+ \{/);
    gpg.run("--armor", "--local-user", "ada@people.example", "--detach-sign", file);

    // another's signature, and other bytes
    gpg.run("--local-user", "another@people.example", "--output", `${file}.sig`, "--detach-sign", file);
    await refused("DECISION_INVALID", "approve", id, "--signature", `${file}.sig`);
    const altered = `${file}.altered`;
    writeFileSync(altered, readFileSync(file, "utf8").replace('"approve"', '"reject" '));
    await refused("DECISION_INVALID", "approve", id, "--signature", `${file}.asc`, "--statement", altered);
    await refused("INPUT_INVALID", "approve", id, "--signature", `${file}.asc`, "--statement", `${file}.asc`);

    const { out } = await done("approve", id, "--signature", `${file}.asc`);
    assert.match(out, /^Signed and executed/);
  });

  it("vetoes with the reason that was signed", async () => {
    const id = await ask("vetoed");
    const file = join(hub.path, "veto");
    await refused("INPUT_INVALID", "reject", id, "--gpg");
    await done("reject", id, "--reason", "not now", "--print-statement", file);
    gpg.run("--local-user", "ada@people.example", "--detach-sign", file);
    assert.match((await done("reject", id, "--signature", `${file}.sig`)).out, /denied/);
  });

  it("enrols a key that is kept there", async () => {
    using elsewhere = new GpgHome();
    const fingerprint = elsewhere.key("Card <card@people.example>");
    const [file, certificate] = [join(hub.path, "enrolment"), join(hub.path, "card.asc")];
    writeFileSync(certificate, elsewhere.run("--armor", "--export", fingerprint));
    await done("keys", "add-openpgp", certificate, "--print-statement", file);
    elsewhere.run("--detach-sign", file);
    const signed = ["--signature", `${file}.sig`, "--yes", "--json"];
    assert.equal(json(await done("keys", "add-openpgp", certificate, ...signed)).key.id, idOf(fingerprint));
    // now there are two to choose from
    await refused("INPUT_INVALID", "approve", await ask("which"), "--gpg", "--yes");
    await done("keys", "revoke", idOf(fingerprint));
  });
});

describe("keys", options, () => {
  it("are revoked at once, and the last one of the last administrator never", async () => {
    const own = hub.folder.signingKey();
    assert.ok(own);
    const [ed25519, openpgp] = [keyId(own.publicKey), idOf(gpg.fingerprint("ada@people.example"))];
    await done("keys", "revoke", ed25519);
    await refused("DECISION_INVALID", "approve", await ask("revoked"), "--yes");
    await refused("CONFLICT", "keys", "revoke", openpgp);
    await refused("NOT_FOUND", "keys", "revoke", "0".repeat(64));

    // whoever has an OpenPGP key alone signs, renews and adds with it
    assert.match((await done("approve", await ask("alone"), "--gpg", "--yes")).out, /^Signed and executed/);
    const fingerprint = gpg.fingerprint("ada@people.example");
    assert.equal(json(await done("keys", "add-openpgp", fingerprint, "--yes", "--json")).renewed, true);
    const further = gpg.fingerprint("another@people.example");
    assert.equal(json(await done("keys", "add-openpgp", further, "--yes", "--json")).renewed, false);
    await done("keys", "revoke", openpgp);
    await refused("NOT_FOUND", "approve", await ask("gone"), "--gpg", fingerprint, "--yes");
    assert.match((await done("approve", await ask("further"), "--gpg", further, "--yes")).out, /^Signed and executed/);
    await done("journal", "verify");
  });
});
