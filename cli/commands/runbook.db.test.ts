import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { AGENT, OPERATOR } from "../context.ts";
import { HubClient } from "../hub-client.ts";
import { COMMAND, type Ended, runCommand, ScratchHub } from "../scratch-hub.fixture.ts";

let hub: ScratchHub;
let operator: HubClient;
before(async () => {
  hub = await ScratchHub.open();
  operator = new HubClient(hub.url, hub.folder.token(OPERATOR) ?? "");
});
after(() => hub[Symbol.asyncDispose]());

const documentOf = ({ out }: Ended) => JSON.parse(out);
const recordsIn = (file: string) =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const HEAD = `---
title: Put a module
purpose: For tests.
inputs:
  - name: module
    description: what it is called
    drill: nginx
---

`;

/** As a runbook's input: the object of the call. */
const PUT = `\`\`\`tool
call: system_fleet_put_object
as: agent
input:
  object:
    kind: Module
    name: "{{module}}"
    spec: { version: 1.0.0, source: "https://modules.example/nginx", digest: "sha256:${"5".repeat(64)}" }
expect: { output: { change: created } }
capture: { version: object.version }
\`\`\`
`;

const LOOK = `\`\`\`tool
call: system_fleet_get_object
input: { kind: Module, name: "{{module}}" }
expect: { output: { object.version: "{{version}}" } }
\`\`\`
`;

/** A file of one's own with these blocks; answers with its path. */
function runbook(name: string, ...blocks: string[]): string {
  const file = join(hub.path, `${name}.md`);
  writeFileSync(file, HEAD + blocks.join("\n"));
  return file;
}

const transcriptOf = (name: string) => join(hub.path, `${name}.jsonl`);

async function exists(name: string): Promise<boolean> {
  return operator.done("system_fleet_get_object", { kind: "Module", name }).then(
    () => true,
    () => false,
  );
}

describe("a run", () => {
  test("does each step as the one it names, signs where one's own signature is enough, and ends with receipts", async () => {
    const file = runbook(
      "plain",
      "Words.\n",
      PUT,
      LOOK,
      "```countersign\njournal verify\n---\nexpect: { output: { ok: true } }\n```\n",
    );
    const transcript = transcriptOf("plain");
    const ran = await hub.run("runbook", "run", file, "--set", "module=plain", "--yes", "--transcript", transcript);
    assert.equal(ran.code, 0, ran.err);
    const records = recordsIn(transcript);
    const { receipts, outcome } = records.at(-1);
    assert.equal(outcome, "done");
    assert.equal(receipts.length, 2);
    for (const id of receipts) {
      assert.ok(ran.out.includes(id));
      const shown = documentOf(await hub.run("journal", "show", id, "--json"));
      assert.equal(shown.rootKeyPinned, true);
    }
    const { output } = await operator.done("system_fleet_get_object", { kind: "Module", name: "plain" });
    const agent = await new HubClient(hub.url, hub.folder.token(AGENT) ?? "").done("system_identity_whoami");
    assert.equal(
      (output["object"] as { updatedBy: string }).updatedBy,
      (agent.output["principal"] as { id: string }).id,
    );
  });

  test("without a name for its transcript keeps it in the config folder", async () => {
    const file = runbook("kept", LOOK.replace('"{{version}}"', "1"));
    const { code, out, err } = await hub.run("runbook", "run", file, "--set", "module=plain", "--json");
    assert.equal(code, 0, err);
    const { outcome, receipts, transcript } = JSON.parse(out);
    assert.equal(outcome, "done");
    assert.deepEqual(recordsIn(transcript).at(-1).receipts, receipts);
    assert.ok(transcript.startsWith(join(hub.folder.path, "transcripts")));
  });

  test("stops at the first step that ends otherwise than expected, and goes on there once that is mended", async () => {
    const file = runbook("stops", PUT.replace("created }", "updated }"), LOOK);
    const args = ["runbook", "run", file, "--set", "module=stops", "--yes", "--json"];
    const transcript = transcriptOf("stops");
    const stopped = await hub.run(...args, "--transcript", transcript);
    assert.equal(stopped.code, 1);
    const { error } = documentOf(stopped);
    assert.equal(error.code, "RUNBOOK_STOPPED");
    assert.deepEqual([error.details.step, error.details.place], [1, `${file}:10`]);
    assert.deepEqual([error.details.expected, error.details.found], ['"updated"', "created"]);
    assert.equal(recordsIn(transcript).at(-1).outcome, "stopped");
    // the text is another now: what was done by the old one does not count for it
    writeFileSync(file, HEAD + [PUT, LOOK].join("\n"));
    const other = await hub.run("runbook", "run", file, "--from", "2", "--transcript", transcript, "--json");
    assert.equal(documentOf(other).error.code, "CONFLICT");
  });

  test("refuses what is wrong before anything is called", async () => {
    const wrong = runbook("wrong", PUT, LOOK.replace("Module", "Engine"), "```countersign\nnothing\n```\n");
    const refused = await hub.run("runbook", "run", wrong, "--set", "module=wrong", "--yes", "--json");
    assert.equal(refused.code, 2);
    const { code, details } = documentOf(refused).error;
    assert.equal(code, "RUNBOOK_INVALID");
    assert.deepEqual(
      details.faults.map(({ line }: { line: number }) => line),
      [24, 29],
    );
    assert.equal(await exists("wrong"), false);
    const right = runbook("right", PUT, LOOK);
    for (const args of [[], ["--set", "modul=x"], ["--set", "module=x", "--from", "2"], ["--wait", "soon"]])
      assert.equal((await hub.run("runbook", "run", right, ...args)).code, 2, args.join(" "));
    assert.equal((await hub.run("runbook", "run", "no-such-runbook")).code, 1);
  });

  test("asks a person for what only a person can do", async () => {
    const file = runbook("manual", "```manual\ndo: Unseal it.\n```\n", LOOK.replace('"{{version}}"', "1"));
    const transcript = transcriptOf("manual");
    const args = ["runbook", "run", file, "--json", "--transcript", transcript];
    const alone = await hub.run(...args, "--set", "module=plain");
    assert.equal(documentOf(alone).error.code, "RUNBOOK_STOPPED");
    const said = await hub.run(...args, "--from", "1", "--yes");
    assert.equal(said.code, 0, said.err);
    assert.equal(recordsIn(transcript).at(-1).receipts.length, 1);
  });

  test("writes down no secret: not a one-time link, and not as a captured value", async () => {
    const store = (name: string, capture: string) =>
      `\`\`\`tool\ncall: system_credentials_store\ninput: { name: ${name}, kind: bearer-token, description: For a test, allowedHosts: [git.example.com], consumers: [gitops] }\ncapture: { kept: ${capture} }\n\`\`\`\n`;
    const transcript = transcriptOf("link");
    const args = ["--set", "module=x", "--yes", "--transcript"];
    const ran = await hub.run("runbook", "run", runbook("link", store("link", "credential.id")), ...args, transcript);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /csc_/, "whoever ran it has to see the link");
    assert.doesNotMatch(readFileSync(transcript, "utf8"), /csc_/);
    assert.equal(recordsIn(transcript).at(-1).outcome, "done");
    const other = transcriptOf("link-kept");
    const kept = await hub.run("runbook", "run", runbook("kept-link", store("kept", "claim.link")), ...args, other);
    assert.equal(kept.code, 2);
    assert.doesNotMatch(readFileSync(other, "utf8"), /csc_/);
  });

  test("sends a call whose answer was lost with the same key again: it is done once", async () => {
    const file = runbook("lost", PUT, LOOK);
    const transcript = transcriptOf("lost");
    const args = ["runbook", "run", file, "--yes", "--transcript", transcript];
    assert.equal((await hub.run(...args, "--set", "module=lost")).code, 0);
    // as if the process had been ended right after it asked
    const lines = readFileSync(transcript, "utf8").split("\n");
    assert.equal(JSON.parse(lines[1] ?? "").record, "asked");
    writeFileSync(transcript, `${lines.slice(0, 2).join("\n")}\n`);
    const again = await hub.run(...args, "--from", "1");
    assert.equal(again.code, 0, again.err);
    assert.equal(recordsIn(transcript).at(-1).outcome, "done");
  });
});

describe("a dry run", () => {
  test("shows every step and what the policy says, and calls nothing else", async () => {
    const file = runbook(
      "dry",
      PUT,
      LOOK,
      "```manual\ndo: Look.\n```\n",
      "```tool\ncall: system_policy_put\nas: agent\ninput: { document: { apiVersion: countersign/v1, kind: Policy, authorization: { cedar: '' }, intervention: { rules: [] } }, baseVersion: 1 }\nexpect: { code: FORBIDDEN }\n```\n",
    );
    const { code, out, err } = await hub.run("runbook", "run", file, "--dry-run", "--set", "module=dry", "--json");
    assert.equal(code, 3, err);
    const { steps } = JSON.parse(out);
    assert.deepEqual(
      steps.map(({ outcome }: { outcome?: string }) => outcome),
      ["needs-approval", "runs", undefined, "refused"],
    );
    assert.equal(await exists("dry"), false);
    const open = await operator.done("system_approval_list_requests", { state: "open" });
    assert.deepEqual(open.output["items"], []);
  });

  test("needs no inputs: where one is missing its name stands, and the policy is not asked", async () => {
    const manual = "```manual\ndo: Look at {{module}}.\n```\n";
    const file = runbook("dry-without", PUT, manual, "```countersign\ncall {{module}}\n```\n");
    const { code, out, err } = await hub.run("runbook", "run", file, "--dry-run", "--json");
    assert.equal(code, 0, err);
    const { steps } = JSON.parse(out);
    assert.deepEqual(
      steps.map(({ outcome }: { outcome?: string }) => outcome),
      [undefined, undefined, undefined],
    );
    assert.ok(steps[1].words.includes("Look at {{module}}."), steps[1].words);
    assert.ok(steps[2].what.endsWith("call {{module}}"), steps[2].what);
    const own = await hub.run("runbook", "run", "key-custody", "--dry-run");
    assert.equal(own.code, 0, own.err);
    assert.ok(own.out.includes("{{backupFile}}"));
  });

  test("is no drill: asked for both, neither is begun", async () => {
    const file = runbook("both", PUT);
    const transcript = transcriptOf("both");
    const both = await hub.run("runbook", "run", file, "--drill", "--dry-run", "--json", "--transcript", transcript);
    assert.equal(both.code, 2);
    assert.equal(documentOf(both).error.code, "INPUT_INVALID");
    assert.equal(existsSync(transcript), false);
    assert.equal((await hub.run("runbook", "run", file, "--dry-run", "--transcript", transcript)).code, 0);
    assert.equal(existsSync(transcript), true);
  });
});

describe("a drill", () => {
  const RULE =
    "{ id: deleting, why: Two people agree., actions: [system_fleet_delete_object], outcome: { approve: 2, holding: system.approval.decide } }";
  const TWO = `\`\`\`tool
call: system_policy_put
input:
  baseVersion: 1
  document:
    { apiVersion: countersign/v1, kind: Policy, authorization: { cedar: "" }, intervention: { rules: [${RULE}] } }
\`\`\`
`;
  const temporary = () => {
    const folder = join(hub.path, "tmp");
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    // a drill does not go to the Vault that the operator's own hub has its keys in
    const vault = {
      COUNTERSIGN_VAULT_ADDR: "http://127.0.0.1:9",
      COUNTERSIGN_VAULT_TOKEN_FILE: join(hub.path, "none"),
    };
    return { ...hub.env, ...vault, COUNTERSIGN_KEYS: "vault", COUNTERSIGN_VAULT_AUTH: "token", TMPDIR: folder };
  };
  const left = () => readdirSync(join(hub.path, "tmp")).filter((name) => name.startsWith("countersign-"));

  test("does all of it in a hub of its own, where two people sign, and leaves nothing", async () => {
    const manual = "```manual\ndo: Unseal it.\n```\n";
    const stop = "```manual\ndo: Stop it.\ndrill: { hub: stop }\n```\n";
    const start = "```manual\ndo: Start it.\ndrill: { hub: start, dataDir: '{{scratch}}/../data' }\n```\n";
    const instead = "```manual\ndo: Look at it.\ndrill: { run: journal verify }\n```\n";
    const file = runbook(
      "drill",
      "```tool drill\ncall: system_identity_whoami\n```\n",
      PUT,
      LOOK,
      TWO,
      manual,
      stop,
      start,
      LOOK,
      instead,
    );
    const ran = await runCommand(temporary(), ["runbook", "run", file, "--drill", "--json"]);
    assert.equal(ran.code, 0, ran.err);
    const { outcome, records, receipts } = documentOf(ran);
    assert.equal(outcome, "done");
    assert.equal(receipts.length, 5);
    const signers = (step: number) =>
      records.filter((one: { record: string; step: number }) => one.record === "signed" && one.step === step);
    assert.deepEqual(
      signers(4).map(({ by }: { by: string }) => by),
      ["Ben", "Cleo"],
    );
    const ends = records.filter(({ record }: { record: string }) => record === "ended");
    assert.deepEqual(
      ends.map((one: { outcome: string }) => one.outcome),
      [...Array(4).fill("as-expected"), "skipped", ...Array(4).fill("as-expected")],
    );
    assert.deepEqual(left(), []);
    assert.equal(await exists("nginx"), false, "the drill used one's own hub");
  });

  test("that is stopped, by a step or by a signal, leaves nothing either", async () => {
    const wrong = runbook("drill-wrong", LOOK.replace('"{{version}}"', "1"));
    const ran = await runCommand(temporary(), ["runbook", "run", wrong, "--drill", "--json"]);
    assert.equal(documentOf(ran).error.code, "RUNBOOK_STOPPED");
    assert.deepEqual(left(), []);
    const waits = runbook("drill-waits", "```tool\ncall: system_identity_whoami\nuntil: { account.people: 99 }\n```\n");
    const child = spawn(process.execPath, [COMMAND, "runbook", "run", waits, "--drill"], {
      env: temporary(),
      stdio: ["ignore", "pipe", "ignore"],
    });
    child.stdout.setEncoding("utf8");
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false }))
      if ((chunk as string).includes("1/1")) break;
    child.stdout.resume();
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    assert.equal(code, 1);
    assert.deepEqual(left(), []);
  });
});

// last: from here on nobody signs for themselves
describe("a step that other people have to agree to", () => {
  let ben: NodeJS.ProcessEnv;
  before(async () => {
    const { code } = documentOf(await hub.run("invite", "Ben", "--yes", "--json"));
    ben = hub.envOf("ben");
    assert.equal((await runCommand(ben, ["join", code])).code, 0);
    const asked = documentOf(await hub.run("call", "system_identity_set_profile", '{"profile":"team"}', "--json"));
    assert.equal((await hub.run("approve", asked.approval.requestId, "--yes")).code, 0);
  });

  /** Starts a run that nobody waits for; answers with the request. */
  async function waiting(file: string, module: string, transcript: string): Promise<string> {
    const args = ["--set", `module=${module}`, "--wait", "0", "--transcript", transcript, "--json"];
    const ran = await hub.run("runbook", "run", file, "--yes", ...args);
    assert.equal(ran.code, 4, ran.err);
    return documentOf(ran).waiting.requestId;
  }

  test("waits, and is gone on with after they did, by the same request", async () => {
    const file = runbook("team", PUT, LOOK);
    const transcript = transcriptOf("team");
    const requestId = await waiting(file, "team", transcript);
    assert.equal(await exists("team"), false);
    const goOn = ["runbook", "run", file, "--from", "1", "--transcript", transcript, "--wait", "0", "--json"];
    const still = await hub.run(...goOn);
    assert.equal(still.code, 4);
    assert.equal(documentOf(still).waiting.requestId, requestId);
    assert.equal((await runCommand(ben, ["approve", requestId, "--yes"])).code, 0);
    const done = await hub.run(...goOn);
    assert.equal(done.code, 0, done.err);
    assert.equal(documentOf(done).receipts.length, 2);
    assert.equal(await exists("team"), true);
    // what was captured before is known
    const later = await hub.run("runbook", "run", file, "--from", "2", "--transcript", transcript, "--json");
    assert.equal(later.code, 0, later.err);
  });

  test("stops where they said no", async () => {
    const file = runbook("veto", PUT);
    const transcript = transcriptOf("veto");
    const requestId = await waiting(file, "veto", transcript);
    assert.equal((await runCommand(ben, ["reject", requestId, "--reason", "no", "--yes"])).code, 0);
    const done = await hub.run("runbook", "run", file, "--from", "1", "--transcript", transcript, "--json");
    assert.equal(done.code, 1);
    const { code, details } = documentOf(done).error;
    assert.deepEqual([code, details.code], ["RUNBOOK_STOPPED", "APPROVAL_DENIED"]);
    assert.equal(await exists("veto"), false);
  });
});
