/** Proves that the linter's own rules of this project bite: each refused file has a twin that passes. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

interface Case {
  readonly rule: string;
  /** Text by path; the finding must be in the first file. */
  readonly refused: Readonly<Record<string, string>>;
  readonly accepted: Readonly<Record<string, string>>;
}

const BOUNDARIES = "countersign(boundaries)";

/** One import against another; the target need not exist. */
function imports(from: string, refused: string, accepted: string, statement = "import"): Case {
  const text = (specifier: string) =>
    statement === "import type"
      ? `import type { thing } from "${specifier}";\nexport type Thing = thing;\n`
      : `import { thing } from "${specifier}";\nexport const same = thing;\n`;
  return { rule: BOUNDARIES, refused: { [from]: text(refused) }, accepted: { [from]: text(accepted) } };
}

const cases: Record<string, Case> = {
  "contracts stand alone": imports("contracts/a.ts", "../server/domain/page.ts", "zod"),
  "errors import nothing": imports("server/errors.ts", "./config/env.ts", "node:util"),
  "domain is below action": imports("server/domain/fleet/a.ts", "../../action/gate.ts", "../identity/people.ts"),
  "domain knows no adapter": imports("server/domain/b/a.ts", "../../adapters/vault/keys.ts", "../../errors.ts"),
  "domain knows no configuration": imports("server/domain/c/a.ts", "../../config/env.ts", "../../../contracts/x.ts"),
  "action knows no guard": imports("server/action/a.ts", "../journal/append.ts", "../domain/page.ts"),
  "guards do not know each other": imports("server/approval/a.ts", "../journal/lane.ts", "../action/gate.ts"),
  "a tool knows no adapter": imports(
    "tools/fleet/a.ts",
    "../../server/adapters/vault/x.ts",
    "../../server/action/x.ts",
  ),
  "adapters are apart": imports("server/adapters/vault/a.ts", "../git/clone.ts", "../egress/connect.ts"),
  "adapters take ports as types": {
    rule: BOUNDARIES,
    refused: { "server/adapters/git/a.ts": 'import { x } from "../../journal/x.ts";\nexport const same = x;\n' },
    accepted: { "server/adapters/git/a.ts": 'import type { x } from "../../journal/x.ts";\nexport type Same = x;\n' },
  },
  "a door calls the gate": imports(
    "server/transport/mcp/a.ts",
    "../../domain/fleet/x.ts",
    "../../action/run-action.ts",
  ),
  "a job calls the gate": imports("server/jobs/a.ts", "../adapters/postgres/x.ts", "../action/run-action.ts"),
  "doors do not know guards, types included": imports(
    "server/transport/b.ts",
    "../approval/x.ts",
    "../domain/fleet/x.ts",
    "import type",
  ),
  "the command line speaks over the wire": imports("cli/approve.ts", "../server/approval/x.ts", "../contracts/x.ts"),
  "smoke imports contracts alone": imports("smoke/a.ts", "../server/errors.ts", "../contracts/x.ts"),
  "smoke's tests too": imports("smoke/a.test.ts", "../server/main.ts", "../contracts/x.ts"),
  "verifiers import nothing of ours": imports("verifier/ts/a.ts", "../../contracts/x.ts", "./merkle.ts"),
  "pg is for the database adapter": {
    rule: BOUNDARIES,
    refused: { "server/journal/a.ts": 'import pg from "pg";\nexport const same = pg;\n' },
    accepted: { "server/adapters/postgres/a.ts": 'import pg from "pg";\nexport const same = pg;\n' },
  },
  "git is run by its adapter": {
    rule: BOUNDARIES,
    refused: { "server/domain/h/a.ts": 'import { simpleGit } from "simple-git";\nexport const same = simpleGit;\n' },
    accepted: {
      "server/adapters/git/b.ts": 'import { simpleGit } from "simple-git";\nexport const same = simpleGit;\n',
    },
  },
  "so is Prisma's client": {
    rule: BOUNDARIES,
    refused: {
      "server/domain/d/a.ts": 'import { x } from "../../../prisma/client/client.ts";\nexport const same = x;\n',
    },
    accepted: {
      "server/adapters/postgres/b.ts":
        'import { x } from "../../../prisma/client/client.ts";\nexport const same = x;\n',
    },
  },
  "an import in parentheses is one too": {
    rule: BOUNDARIES,
    refused: { "server/domain/e/a.ts": 'export const load = () => import("../../main.ts");\n' },
    accepted: { "server/domain/e/a.ts": 'export const load = () => import("../fleet/x.ts");\n' },
  },
  "so is an export from elsewhere": {
    rule: BOUNDARIES,
    refused: { "server/domain/f/a.ts": 'export * from "../../main.ts";\n' },
    accepted: { "server/domain/f/a.ts": 'export * from "../fleet/x.ts";\n' },
  },
  "so is a type named in place": {
    rule: BOUNDARIES,
    refused: { "server/domain/g/a.ts": 'export type Hub = import("../../main.ts").Hub;\n' },
    accepted: { "server/domain/g/a.ts": 'export type Hub = import("../fleet/x.ts").Hub;\n' },
  },
  "what supports tests is for tests": {
    rule: BOUNDARIES,
    refused: { "server/journal/b.ts": 'import { x } from "./lane.fixture.ts";\nexport const same = x;\n' },
    accepted: { "server/journal/b.test.ts": 'import { x } from "./lane.fixture.ts";\nexport const same = x;\n' },
  },
  "a new folder says where it stands": {
    rule: BOUNDARIES,
    refused: { "newcomer/a.ts": 'import { x } from "../contracts/x.ts";\nexport const same = x;\n' },
    accepted: { "seeds/a.ts": 'import { x } from "../contracts/x.ts";\nexport const same = x;\n' },
  },
  "no circles": {
    rule: "import(no-cycle)",
    refused: {
      "contracts/b.ts": 'import { c } from "./c.ts";\nexport const b = () => c;\n',
      "contracts/c.ts": 'import { b } from "./b.ts";\nexport const c = () => b;\n',
    },
    accepted: {
      "contracts/b.ts": 'import { c } from "./c.ts";\nexport const b = () => c;\n',
      "contracts/c.ts": "export const c = 1;\n",
    },
  },
  "no circles of types": {
    rule: "import(no-cycle)",
    refused: {
      "contracts/d.ts": 'import type { E } from "./e.ts";\nexport interface D { e: E }\n',
      "contracts/e.ts": 'import type { D } from "./d.ts";\nexport interface E { d: D }\n',
    },
    accepted: {
      "contracts/d.ts": 'import type { E } from "./e.ts";\nexport interface D { e: E }\n',
      "contracts/e.ts": "export interface E { d: string }\n",
    },
  },
  "the environment is read in one place": {
    rule: "node(no-process-env)",
    refused: { "server/action/b.ts": "export const home = process.env;\n" },
    accepted: { "server/config/env.ts": "export const home = process.env;\n" },
  },
  "the hub logs, it does not print": {
    rule: "eslint(no-console)",
    refused: { "server/journal/c.ts": 'console.log("x");\nexport {};\n' },
    accepted: { "cli/say.ts": 'console.log("x");\nexport {};\n' },
  },
  "the hub reaches out through egress": {
    rule: "eslint(no-restricted-globals)",
    refused: { "server/adapters/vault/b.ts": 'export const get = () => fetch("http://x");\n' },
    accepted: { "server/adapters/egress/b.ts": 'export const get = () => fetch("http://x");\n' },
  },
  "a promise is awaited": {
    rule: "typescript(no-floating-promises)",
    refused: { "server/action/c.ts": "export const f = async () => 1;\nexport function g() {\n  f();\n}\n" },
    accepted: {
      "server/action/c.ts": "export const f = async () => 1;\nexport async function g() {\n  await f();\n}\n",
    },
  },
};

const root = fileURLToPath(new URL("..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "countersign-lint-"));
after(() => rmSync(scratch, { recursive: true }));

let refused: Findings;
let accepted: Findings;
before(() => {
  refused = lint("refused");
  accepted = lint("accepted");
});

/** Codes of the findings, by path. */
type Findings = Map<string, string[]>;

/** Lints all files of one side in a project of their own, each case in its own copy of the tree's names. */
function lint(side: "refused" | "accepted"): Findings {
  const findings: Findings = new Map();
  const titles = Object.keys(cases);
  // two cases may use one path: the later ones go into further projects
  for (let rest = titles; rest.length > 0; ) {
    const folder = mkdtempSync(join(scratch, `${side}-`));
    setUp(folder);
    const used = new Set<string>();
    const later: string[] = [];
    for (const title of rest) {
      const files = Object.entries(cases[title]?.[side] ?? {});
      if (files.some(([path]) => used.has(path))) {
        later.push(title);
        continue;
      }
      for (const [path, text] of files) {
        used.add(path);
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
    }
    const codes = runLinter(folder);
    for (const title of rest.filter((one) => !later.includes(one))) {
      const [path = ""] = Object.keys(cases[title]?.[side] ?? {});
      findings.set(title, codes.get(path) ?? []);
    }
    rest = later;
  }
  return findings;
}

function setUp(folder: string): void {
  for (const name of [".oxlintrc.json", "tsconfig.json", "package.json"]) cpSync(join(root, name), join(folder, name));
  cpSync(join(root, "scripts/lint"), join(folder, "scripts/lint"), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
}

function runLinter(folder: string): Map<string, string[]> {
  const { bin } = JSON.parse(readFileSync(join(root, "node_modules/oxlint/package.json"), "utf8"));
  const program = join(root, "node_modules/oxlint", typeof bin === "string" ? bin : bin.oxlint);
  const run = spawnSync(process.execPath, [program, "--format", "json"], { cwd: folder, encoding: "utf8" });
  assert.match(run.stdout, /^\s*\{/, run.stderr);
  const codes = new Map<string, string[]>();
  for (const { filename, code } of JSON.parse(run.stdout).diagnostics) {
    codes.set(filename, [...(codes.get(filename) ?? []), code]);
  }
  return codes;
}

for (const [title, { rule }] of Object.entries(cases)) {
  test(title, () => {
    assert(refused.get(title)?.includes(rule), `not refused: ${refused.get(title)?.join()}`);
    assert(!accepted.get(title)?.includes(rule), "the accepting twin was refused");
  });
}
