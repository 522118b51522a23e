import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { openTerminal, printable, printableJson, type TerminalStreams, table } from "./terminal.ts";

const made: { name: string; text: string; shown: string }[] = [
  { name: "plain text stays", text: "Zoë, 日本, 👍 done", shown: "Zoë, 日本, 👍 done" },
  { name: "line feeds stay", text: "a\nb", shown: "a\nb" },
  { name: "escape sequences", text: "\u001b[2Jgone", shown: "\\u{1b}[2Jgone" },
  { name: "carriage returns and tabs", text: "a\r\tb", shown: "a\\u{d}\\u{9}b" },
  { name: "C1 controls", text: "\u009b31m", shown: "\\u{9b}31m" },
  { name: "bidirectional overrides", text: "a\u202eb\u2066c", shown: "a\\u{202e}b\\u{2066}c" },
  { name: "zero-width characters", text: "ad\u200bmin\ufeff", shown: "ad\\u{200b}min\\u{feff}" },
  { name: "line and paragraph separators", text: "\u2028\u2029", shown: "\\u{2028}\\u{2029}" },
  { name: "characters beyond 16 bits", text: "\u{e0041}", shown: "\\u{e0041}" },
  { name: "lone surrogates", text: "\ud800x", shown: "\\u{d800}x" },
];
for (const { name, text, shown } of made) test(`printable: ${name}`, () => assert.equal(printable(text), shown));

test("JSON of others' values reads back as it was, without a character that a terminal acts on", () => {
  const value = { a: "\u202e\u0085\u200b\u{e0041}\n", nested: ["日本", { "k\u2066": 1 }] };
  for (const indent of [undefined, 2]) {
    const text = printableJson(value, indent);
    assert.deepEqual(JSON.parse(text), value);
    assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  }
  assert.equal(printableJson({ a: "日本" }), '{"a":"日本"}');
});

test("a table lines its columns up by their width on a terminal, and no cell leaves its line", () => {
  const text = table([
    ["日本", "1", "x"],
    ["ab", "22", "two\nlines"],
    ["\u001b", "3"],
  ]);
  assert.deepEqual(text.split("\n"), ["日本    1   x", "ab      22  two\\nlines", "\\u{1b}  3"]);
  assert.equal(table([]), "");
});

function streams(tty: boolean) {
  const stream = () => Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY: tty });
  const [input, output, error] = [stream(), stream(), stream()];
  return { input, output, error, all: { input, output, error } as unknown as TerminalStreams };
}

test("results go to standard output, the rest to standard error; colours where a person looks", () => {
  for (const [tty, colours, coloured] of [
    [true, true, true],
    [true, false, false],
    [false, true, false],
  ] as const) {
    const { output, error, all } = streams(tty);
    const terminal = openTerminal({ colours }, all);
    terminal.show({ a: 1 }, () => terminal.style("red", "words"));
    terminal.note("note");
    assert.equal(output.read(), coloured ? "\u001b[31mwords\u001b[39m\n" : "words\n");
    assert.equal(error.read(), "note\n");
    terminal.json = true;
    terminal.show({ a: terminal.style("red", "1") }, () => "words");
    assert.equal(output.read(), '{\n  "a": "1"\n}\n');
  }
});

test("progress takes the place of itself on a terminal, and is left out elsewhere", () => {
  const person = streams(true);
  const shown = openTerminal({ colours: false }, person.all);
  shown.progress("1");
  shown.progress("2");
  shown.print("done");
  assert.equal(person.error.read(), "1\r\u001b[K2\r\u001b[K");
  const file = streams(false);
  openTerminal({ colours: false }, file.all).progress("1");
  assert.equal(file.error.read(), null);
});

test("a question is asked of a person alone, and silence is no", async () => {
  assert.equal(await openTerminal({ colours: false }, streams(false).all).confirm("Sure?"), false);
  for (const [answer, yes] of [
    ["y\n", true],
    ["Yes\n", true],
    ["\n", false],
    ["no\n", false],
    ["yep\n", false],
  ] as const) {
    const { input, all } = streams(true);
    const asked = openTerminal({ colours: false }, all).confirm("Sure?");
    input.write(answer);
    assert.equal(await asked, yes, answer);
  }
});
