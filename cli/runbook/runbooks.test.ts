import assert from "node:assert/strict";
import { test } from "node:test";
import { generator } from "../../scripts/generators/actions.ts";
import { configFrom } from "../../server/config/config.ts";
import { readEnv } from "../../server/config/env.ts";
import { CliFolder } from "../cli-folder.ts";
import { EXIT } from "../exit-codes.ts";
import { program } from "../program.ts";
import { openTerminal } from "../terminal.ts";
import { checkRunbook } from "./check-runbook.ts";
import { findRunbook, runbookNames } from "./find-runbooks.ts";
import { checkInputs, isCaptured, SCRATCH } from "./given-inputs.ts";
import { parseRunbook } from "./parse-runbook.ts";
import { LATER } from "./placeholders.ts";
import { readToolCatalogue } from "./tool-catalogue.ts";

const config = configFrom(readEnv({ HOME: "/home/you" }));
const command = program({
  terminal: openTerminal({ colours: false }),
  config,
  secrets: { databaseUrl: undefined, migrationUrl: undefined, token: undefined },
  folder: new CliFolder(config.folders.cli),
  exitCode: EXIT.ok,
});

test("the runbooks that come with the program call what there is, for real and in drills", async () => {
  const [spec] = [...(await generator.generate()).values()];
  const tools = readToolCatalogue(spec);
  assert.deepEqual(runbookNames(), ["key-compromise", "key-custody", "vault-credential-restoration"]);
  for (const name of runbookNames()) {
    const { file, text } = findRunbook(name);
    const runbook = parseRunbook(file, name, text);
    checkInputs(file, runbook.head, runbook.headLine);
    for (const drill of [false, true]) {
      const given = runbook.head.inputs.filter((input) => !drill || !isCaptured(input)).map((input) => input.name);
      const values = new Map([...given, ...(drill ? [SCRATCH] : [])].map((one) => [one, LATER] as const));
      checkRunbook(runbook, { tools, program: command, values, from: 1, drill });
    }
  }
});

test("a name that none has is told with those that there are", () => {
  assert.throws(() => findRunbook("key-custard"), { code: "NOT_FOUND" });
  assert.throws(() => findRunbook("../README"), { code: "NOT_FOUND" });
  assert.throws(() => findRunbook("./nowhere.md"), { code: "NOT_FOUND" });
  assert.equal(findRunbook("key-custody").name, "key-custody");
});
