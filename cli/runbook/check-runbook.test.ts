import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubError } from "../../server/errors.ts";
import { block, check, FIRST_LINE, parsed } from "./test-runbook.ts";

const PUT = `{ object: { kind: Module, name: x, spec: { version: 1.0.0, source: "https://a.example/b", digest: "sha256:${"5".repeat(64)}" } } }`;
const MODULE = "{ kind: Module, name: '{{module}}' }";

/** What is found, as `line offset: sentence`; nothing where the runbook can be run. */
function found(text: string, options: Parameters<typeof check>[1] = {}): string[] {
  try {
    check(parsed(text), options);
    return [];
  } catch (error) {
    assert.ok(error instanceof HubError && error.code === "RUNBOOK_INVALID", String(error));
    const { faults } = error.details as { faults: { line: number; message: string }[] };
    return faults.map(({ line, message }) => `${line - FIRST_LINE}: ${message}`);
  }
}

/** Refused with this at this line; the twin is accepted. */
function refuses(text: string, line: number, words: RegExp, twin: string): void {
  const faults = found(text);
  assert.equal(faults.length, 1, `${text}\n${faults.join("\n")}`);
  assert.match(faults[0] ?? "", new RegExp(`^${line}: step 1: .*${words.source}`));
  assert.deepEqual(found(twin), [], twin);
}

describe("before anything runs", () => {
  test("a tool that is not there is found", () => {
    refuses(
      block("tool", "call: system_fleet_get_objekt"),
      1,
      /no tool/,
      block("tool", `call: system_fleet_get_object\ninput: ${MODULE}`),
    );
  });

  test("input that does not fit its tool is found, with its place", () => {
    const good = block("tool", `call: system_fleet_get_object\ninput:\n  kind: Module\n  name: "{{module}}"`);
    refuses(block("tool", `call: system_fleet_get_object\ninput:\n  kind: Modul\n  name: x`), 3, /kind/, good);
    refuses(
      block("tool", `call: system_fleet_get_object\ninput: ${MODULE}\nuntil: { object.nam: x }`),
      3,
      /object.nam/,
      good,
    );
    refuses(block("tool", "call: system_fleet_get_object\ninput: { kind: Module }"), 2, /name/, good);
    refuses(
      block("tool", "call: system_fleet_get_object\ninput: { kind: Module, name: x, colour: red }"),
      2,
      /colour/,
      good,
    );
  });

  test("a whole placeholder keeps its type, one within a text becomes text", () => {
    const list = (limit: string) => block("tool", `call: system_fleet_list_objects\ninput: { limit: ${limit} }`);
    assert.deepEqual(found(list('"{{count}}"')), []);
    assert.equal(found(list('"{{module}}"')).length, 1);
    assert.equal(found(list('"{{count}}0"')).length, 1);
  });

  test("a value that nothing gives before its step is found; one that an earlier step captures is not", () => {
    const get = (name: string) =>
      block("tool", `call: system_fleet_get_object\ninput: { kind: Module, name: "${name}" }`);
    refuses(get("{{modul}}"), 2, /\{\{modul\}\}/, get("{{module}}"));
    refuses(get("{{module"), 2, /placeholder/, get("{{module}}"));
    const list = block("tool", "call: system_fleet_list_objects\ncapture: { first: 'items[0].name' }");
    assert.deepEqual(found(list + get("{{first}}")), []);
    assert.equal(found(get("{{first}}") + list).length, 1);
    assert.equal(found(list + list).length, 1, "two steps capture one name");
  });

  test("what is not known yet leaves the rest of an input to be checked", () => {
    const put = (spec: string) =>
      block(
        "tool",
        `call: system_fleet_put_object\ninput:\n  object: { kind: Module, name: "{{later}}", spec: ${spec} }\n  expectedVersion: "{{count}}"`,
      );
    const digest = `sha256:${"5".repeat(64)}`;
    assert.deepEqual(
      found(put(`{ version: 1.0.0, source: https://a.example/b, digest: ${digest} }`), { later: ["later"] }),
      [],
    );
    const wrong = block("tool", "call: system_fleet_get_object\ninput: { kind: Modul, name: '{{later}}' }");
    assert.equal(found(wrong, { later: ["later"] }).length, 1);
  });

  test("a path that no answer of the tool has is found", () => {
    const whoami = (rest: string) => block("tool", `call: system_identity_whoami\n${rest}`);
    refuses(whoami("capture: { who: principal.nam }"), 2, /principal.nam/, whoami("capture: { who: principal.name }"));
    refuses(
      whoami("expect: { output: { account.profil: solo } }"),
      2,
      /account.profil/,
      whoami("expect: { output: { account.profile: solo } }"),
    );
    refuses(
      whoami("capture: { who: 'principal..name' }"),
      2,
      /path/,
      whoami("capture: { who: principal.roles.length }"),
    );
  });

  test("a change that would be repeated is found; a read may be", () => {
    refuses(
      block("tool", `call: system_fleet_put_object\ninput: ${PUT}\nuntil: { object.name: x }`),
      3,
      /no read/,
      block("tool", `call: system_fleet_get_object\ninput: ${MODULE}\nuntil: { object.name: x }`),
    );
  });

  test("codes and patterns that there are not are found", () => {
    const whoami = (expect: string) => block("tool", `call: system_identity_whoami\nexpect: ${expect}`);
    refuses(whoami("{ code: FORBIDEN }"), 2, /FORBIDEN/, whoami("{ code: FORBIDDEN }"));
    refuses(
      whoami("{ output: { account.name: { matches: '(' } } }"),
      2,
      /regular expression/,
      whoami("{ output: { account.name: { matches: '^a' } } }"),
    );
  });

  test("tools that hand out secrets, and those of the hub's own jobs, are not called", () => {
    const claim = "01890000-0000-7000-8000-000000000001";
    assert.match(
      found(block("tool", `call: system_identity_claim_secret\ninput: { claimId: ${claim} }`)).join(),
      /secret/,
    );
    assert.match(found(block("tool", `call: system_gitops_run_sync\ninput: { runId: ${claim} }`)).join(), /outside/);
  });

  test("commands, options and arguments that there are not are found", () => {
    const run = (line: string) => block("countersign", line);
    const good = run("backup verify {{module}} --passphrase-file {{module}}");
    refuses(run("backup verfy x"), 1, /verfy/, good);
    refuses(run("backup verify"), 1, /needs <file>/, good);
    refuses(run("backup verify x y"), 1, /takes 1/, good);
    refuses(run("backup verify x --passphrase {{module}}"), 1, /--passphrase/, good);
    refuses(run("backup verify x --passphrase-file"), 1, /needs a value/, good);
    refuses(run("store x --note"), 1, /needs --host/, run("store x --note --host a b"));
    refuses(run("store --host a b"), 1, /needs <name>/, run("store --note y x --host a b"));
    refuses(run("statuss"), 1, /statuss/, run("status --all"));
    refuses(run("start"), 1, /not run/, run("status"));
    refuses(run("status {{modul}}"), 1, /modul/, run("status {{module}}"));
  });

  test("a drill is checked with what it does in place of people, a run without", () => {
    const text = block("manual", "do: Unseal it.\ndrill:\n  call: system_nothing");
    assert.deepEqual(found(text), []);
    assert.deepEqual(found(text, { drill: true }), ["3: step 1: there is no tool system_nothing"]);
    const setUp = block("tool drill", "call: system_nothing");
    assert.deepEqual(found(setUp), []);
    assert.equal(found(setUp, { drill: true }).length, 1);
  });

  test("all that is wrong is told at once", () => {
    assert.equal(
      found(block("tool", "call: a") + block("countersign", "b") + block("manual", "do: '{{c}}'")).length,
      3,
    );
  });
});
