import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { ProgressLines, TerminalBar } from "./progress-bar.ts";
import { openTerminal, type TerminalStreams } from "./terminal.ts";

function streams(tty: boolean, columns = 80) {
  const stream = () => Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY: tty, columns });
  const [input, output, error] = [stream(), stream(), stream()];
  return { output, error, all: { input, output, error } as unknown as TerminalStreams };
}

test("a terminal has a bar on one line, as wide as the terminal at most, and nothing is left of it", () => {
  const { error } = streams(true, 40);
  using bar = new TerminalBar(error as unknown as NodeJS.WriteStream);
  bar.show({ done: 1, total: 4, sentence: "Reading." });
  const first = stripVTControlCharacters(String(error.read()));
  assert.match(first, /\[#{5}-{15}\] 1\/4 Reading\./);
  bar.show({ done: 2, total: 8, sentence: "Comparing a very long list of objects with what there is." });
  bar.clear();
  const rest = String(error.read());
  assert.match(rest, /\[#{5}-{15}\] 2\/8 Compar/);
  for (const line of stripVTControlCharacters(rest).split("\r")) assert.ok(line.length < 40, line);
  assert.ok(!rest.includes("\n"));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what clears a line
  // oxlint-disable-next-line no-control-regex
  assert.match(rest, /\u001b\[2K$/, "the line is cleared last");
});

test("what is printed meanwhile stands above the bar, which comes back with the next look", () => {
  const { output, error, all } = streams(true);
  const terminal = openTerminal({ colours: false }, all);
  using bar = terminal.progressBar();
  bar.show({ done: 0, total: 2, sentence: "one" });
  error.read();
  terminal.print("a result");
  // oxlint-disable-next-line no-control-regex
  assert.match(String(error.read()), /\u001b\[2K$/);
  assert.equal(output.read(), "a result\n");
  bar.show({ done: 1, total: 2, sentence: "two" });
  assert.match(String(error.read()), /1\/2 two/);
});

test("no terminal, or --json: whole lines on standard error, and no control characters", () => {
  for (const [tty, json] of [
    [false, false],
    [true, true],
  ]) {
    const { output, error, all } = streams(tty === true);
    const terminal = openTerminal({ colours: false }, all);
    terminal.json = json === true;
    using bar = terminal.progressBar();
    bar.show({ done: 0, total: 2, sentence: "Fetching\n\u001b[2J" });
    bar.show({ done: 1, total: 2, sentence: "Reading" });
    assert.equal(error.read(), "[0/2] Fetching\\n\\u{1b}[2J\n[1/2] Reading\n");
    assert.equal(output.read(), null);
  }
});

test("a sentence that changes all the time makes few lines; a step that is done is always told", () => {
  let now = 0;
  const lines: string[] = [];
  using bar = new ProgressLines(
    (line) => lines.push(line),
    () => now,
  );
  for (const [at, done, sentence] of [
    [0, 0, "1 %"],
    [100, 0, "2 %"],
    [6_000, 0, "60 %"],
    [6_100, 0, "60 %"],
    [6_200, 1, "Reading"],
    [60_000, 1, "Reading"],
  ] as const) {
    now = at;
    bar.show({ done, total: 2, sentence });
  }
  assert.deepEqual(lines, ["[0/2] 1 %", "[0/2] 60 %", "[1/2] Reading"]);
});

test("where steps are many and short there is a line now and then, and none for what is over soon", () => {
  let now = 0;
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  using bar = new ProgressLines(write, () => now, "now and then");
  for (const [at, done] of [
    [100, 1],
    [4_000, 2],
    [6_000, 3],
    [6_100, 4],
    [12_000, 5],
  ] as const) {
    now = at;
    bar.show({ done, total: 9, sentence: "Reading" });
  }
  assert.deepEqual(lines, ["[3/9] Reading", "[5/9] Reading"]);
});
