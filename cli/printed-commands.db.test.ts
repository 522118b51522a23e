/** Every command that `start` and the README print is run as it stands, by a shell, in the project's folder. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AGENT } from "./context.ts";
import { COMMAND, ScratchHome } from "./scratch-hub.fixture.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const README = readFileSync(`${root}README.md`, "utf8");
// npx sets the mode of a project's command before it runs it, which the owner (and root) alone may do
const me = process.getuid?.();
const skip = me !== 0 && me !== statSync(COMMAND).uid && "npx runs a project's command for the project's owner alone";

let home: ScratchHome;
let hub: ChildProcess;
let greeting = "";

/** `npx` and all it starts are one process group, as on a terminal. */
function shell(command: string): ChildProcess {
  // no registry is asked: the command is this project's own
  const env = { ...home.env, npm_config_offline: "true", npm_config_update_notifier: "false" };
  return spawn("sh", ["-c", command], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
}

/** What Ctrl-C does. */
async function interrupt(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  process.kill(-(child.pid as number), "SIGINT");
  await closed;
}

const TAIL = "npx countersign journal tail";
const printedBy = (text: string) =>
  [...text.matchAll(/npx countersign [^\n`)#(]*[^\s`)#(]/g)].map(([command]) => command.trim());

interface Expected {
  readonly code: number;
  readonly says: RegExp;
}

/** What each comes to where nobody sits at the terminal to be asked. */
const EXPECTED: Readonly<Record<string, Expected>> = {
  "npx countersign demo": { code: 0, says: /One byte is changed, and found[^]*does NOT hold/ },
  "npx countersign demo gitops": { code: 0, says: /A history that is rewritten[^]*The journal holds/ },
  "npx countersign credentials": { code: 0, says: /No credential is stored/ },
  "npx countersign vault": { code: 0, says: /No rotation yet/ },
  "npx countersign backup list": { code: 0, says: /No backups yet/ },
  "npx countersign runbook list": { code: 0, says: /vault-credential-restoration/ },
  "npx countersign gitops status": { code: 0, says: /No repository declares anything/ },
  "npx countersign connect claude --dir <your project>": { code: 3, says: /"countersign"[^]*Nothing was written/ },
  "npx countersign stdio": { code: 0, says: /^$/ },
  "npx countersign tokens --help": { code: 0, says: /issue/ },
  "npx countersign call system_identity_whoami": { code: 0, says: /You are the operator "/ },
  "npx countersign approvals": { code: 0, says: /Nothing waits|npx countersign approve/ },
  "npx countersign approve <id>": { code: 3, says: /create Module\/printed[^]*Nothing was signed/ },
  "npx countersign invite <name>": { code: 4, says: /Waits for .*npx countersign approve/ },
  "npx countersign policy show": { code: 0, says: /"kind": "Policy"/ },
  "npx countersign journal verify": { code: 0, says: /The journal holds/ },
  "npx countersign doctor": { code: 0, says: /Nothing to mend/ },
  "npx countersign recover operator": { code: 3, says: /makes a new token[^]*Nothing was changed/ },
};

async function requestId(): Promise<string> {
  const object = {
    kind: "Module",
    name: "printed",
    spec: { version: "1.0.0", source: "https://modules.example/x", digest: `sha256:${"0".repeat(64)}` },
  };
  const asked = await home.run("call", "system_fleet_put_object", "--as", AGENT, "--json", JSON.stringify({ object }));
  return JSON.parse(asked.out).approval.requestId;
}

describe("what is printed", { skip }, () => {
  before(async () => {
    home = new ScratchHome();
    hub = shell("npx countersign start");
    hub.stderr?.resume();
    hub.stdout?.setEncoding("utf8");
    for await (const chunk of hub.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
      greeting += chunk;
      if (greeting.includes("npx countersign demo")) break;
    }
    hub.stdout?.resume();
  });
  after(async () => {
    await interrupt(hub);
    await home[Symbol.asyncDispose]();
  });

  test("start prints where the hub is and commands that are known here", () => {
    assert.match(greeting, /MCP\s+http:\/\/127\.0\.0\.1:\d+\/mcp/);
    assert.match(greeting, new RegExp(home.folder.path));
    assert.ok(!greeting.includes(home.folder.token(AGENT) ?? "?"), "a token was printed");
    const printed = printedBy(greeting);
    assert.ok(printed.length >= 4, greeting);
    for (const command of printed) assert.ok(command in EXPECTED, command);
  });

  test("the README prints commands that are known here, and tail", () => {
    const printed = printedBy(README);
    assert.ok(printed.length >= 11, printed.join(", "));
    for (const command of printed) assert.ok(command in EXPECTED || command === TAIL, command);
  });

  for (const [command, { code, says }] of Object.entries(EXPECTED))
    test(command, async () => {
      const real = command
        .replace("<id>", command.includes("<id>") ? await requestId() : "")
        .replace("<name>", "Ben")
        .replace("<your project>", home.path)
        .replace("<your project>", home.folder.path);
      const child = shell(real);
      const [out, err, [ended]] = await Promise.all([
        text(child.stdout as NonNullable<typeof child.stdout>),
        text(child.stderr as NonNullable<typeof child.stderr>),
        once(child, "exit"),
      ]);
      const said = `${out}${err.replaceAll(/^npm .*\n/gm, "")}`;
      assert.equal(ended, code, said);
      assert.match(said, says);
      for (const folder of [root, home.path]) assert.ok(!existsSync(join(folder, ".mcp.json")));
    });

  test(TAIL, async () => {
    const child = shell(TAIL);
    child.stderr?.resume();
    const lines: string[] = [];
    let asked = false;
    child.stdout?.setEncoding("utf8");
    for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
      lines.push(...(chunk as string).trimEnd().split("\n"));
      // it follows: what is called now comes too
      if (!asked) await home.run("call", "system_policy_lint", '{"document":{}}');
      asked = true;
      if (lines.some((line) => line.includes("system_policy_lint"))) break;
    }
    assert.match(lines[0] ?? "", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}(receipt|event )/);
    await interrupt(child);
  });
});
