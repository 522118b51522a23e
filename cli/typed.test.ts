import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { typed, typedSettings } from "./typed.ts";

const SHELLS = ["/bin/sh", "/bin/bash"].filter((path) => existsSync(path));

/** bash takes an input that is a socket for a remote shell's, and reads its settings first. */
const ask = (shell: string, line: string, env: NodeJS.ProcessEnv = {}) =>
  execFileSync(shell, ["-c", line], { encoding: "utf8", env, stdio: ["ignore", "pipe", "inherit"] });

/** What a shell makes of a line: the words, in the order in which a program is given them. */
const wordsIn = (shell: string, line: string) => ask(shell, `printf '%s\\0' ${line}`).split("\0").slice(0, -1);

const WORDS = [
  ...["hub.age", "--into", "/b/mon,tue.age", "a=b", "age1pq1:x@y%+"],
  ...[
    "/b/{mon,tue}.age",
    "{1..3}",
    "{a}",
    "{{a,b}}",
    "{{a}},{{b}}",
    "two words",
    "it's",
    "$HOME",
    "~",
    "",
    "*",
    "a\nb",
    "#x",
  ],
];

test("a shell reads a word as it was meant", () => {
  for (const shell of SHELLS) assert.deepEqual(wordsIn(shell, typed(WORDS)), WORDS, shell);
});

test("what is plain is not quoted, nor a runbook's placeholder", () => {
  const plain = ["vault", "--name={{name}}", "{{name}}", "/b/mon,tue.age"];
  assert.equal(typed(plain), plain.join(" "));
  assert.equal(typed(["{{na me}}", "{{name}", "{name}"]), "'{{na me}}' '{{name}' '{name}'");
});

test("a setting reaches the command that follows it, whatever its value", () => {
  for (const shell of SHELLS)
    for (const value of ["/data", "/with space/it's", "/b/{mon,tue}", ""]) {
      const line = `${typedSettings([["COUNTERSIGN_DATA_DIR", value]])} ${shell} -c 'printf %s "$COUNTERSIGN_DATA_DIR"'`;
      assert.equal(ask(shell, line, { COUNTERSIGN_DATA_DIR: "/another" }), value);
    }
});
