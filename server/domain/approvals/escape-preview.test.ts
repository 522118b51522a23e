import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parsePreview } from "../../../contracts/approval/preview.ts";
import { digest } from "../../../contracts/formats/canonical-json.ts";
import { escapePreview, escapeText } from "./escape-preview.ts";

for (const [what, text, shown] of [
  ["plain words", "Template web-1: replicas 3 -> 5, naïve 東京", "Template web-1: replicas 3 -\\u{3e} 5, naïve 東京"],
  ["names with underscores", "web_server_2", "web_server_2"],
  [
    "emphasis",
    "__init__ *now* ~~gone~~",
    "\\u{5f}\\u{5f}init\\u{5f}\\u{5f} \\u{2a}now\\u{2a} \\u{7e}\\u{7e}gone\\u{7e}\\u{7e}",
  ],
  ["a wildcard host", "*.example.org, *.example.com", "*.example.org, *.example.com"],
  ["stars that are none", "x*.example.org *. **.a *", "x\\u{2a}.example.org \\u{2a}. \\u{2a}\\u{2a}.a \\u{2a}"],
  ["a link", "[ok](http://e)", "\\u{5b}ok\\u{5d}(http://e)"],
  ["a tag", "<b>&amp;", "\\u{3c}b\\u{3e}\\u{26}amp;"],
  ["code", "`rm`", "\\u{60}rm\\u{60}"],
  ["a table", "a|b", "a\\u{7c}b"],
  ["lines", "a\nb\r\tc\u2028d", "a\\u{a}b\\u{d}\\u{9}c\\u{2028}d"],
  ["a terminal's escape", "\u001b[31mred", "\\u{1b}\\u{5b}31mred"],
  ["reordering", "user\u202etxt.exe\u2066x", "user\\u{202e}txt.exe\\u{2066}x"],
  ["nothing to see", "ad\u200bmin\u200d\ufeff\u00ad\u3164", "ad\\u{200b}min\\u{200d}\\u{feff}\\u{ad}\\u{3164}"],
  ["tags beyond the first plane", "a\u{e0041}", "a\\u{e0041}"],
  ["other spaces", "a\u00a0b\u2003c", "a\\u{a0}b\\u{2003}c"],
  ["half a surrogate pair", "a\ud800b", "a\\u{d800}b"],
  ["marks on marks", `e${"\u0301".repeat(5)}`, `e${"\u0301".repeat(3)}\\u{301}\\u{301}`],
  ["what looks like an escape", "\\u{3c}", "\\u{5c}u{3c}"],
] as const) {
  test(`escaping: ${what}`, () => assert.equal(escapeText(text), shown));
}

test("two texts have one form only if they are one text, and the form holds nothing unsafe", () => {
  const text = fc.string({ unit: "binary", maxLength: 30 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(escapeText(a) === escapeText(b), a === b);
      assert.doesNotMatch(escapeText(a), /[\p{C}<>&`[\]|~]|[^ ]\*|\*(?!\.)/u);
    }),
  );
});

test("the canonical preview reads back as what is shown, under its digest", () => {
  const {
    text,
    digest: sha256,
    shown,
  } = escapePreview({
    headline: "Ann asks to change <Template>",
    changes: [
      { field: "spec.version", before: "1", after: "2" },
      { field: "label team", after: "a\u202eb" },
      { field: "gone", before: "x" },
    ],
  });
  assert.deepEqual(parsePreview(text), shown);
  assert.equal(digest(text), sha256);
  assert.deepEqual(shown.changes[1], { field: "label team", after: "a\\u{202e}b" });
  assert.deepEqual(shown.changes[2], { field: "gone", before: "x" });
});

test("a long value is cut with the count of what is left out", () => {
  const [change] = escapePreview({ headline: "h", changes: [{ field: "f", after: "x".repeat(2_500) }] }).shown.changes;
  assert.equal(change?.after, `${"x".repeat(2_000)} [... 500 more characters]`);
  const [whole] = escapePreview({ headline: "h", changes: [{ field: "f", after: "x".repeat(2_000) }] }).shown.changes;
  assert.equal(whole?.after, "x".repeat(2_000));
});

test("of two long values the place where they begin to differ is shown", () => {
  const same = "a".repeat(50_000);
  const [change] = escapePreview({
    headline: "h",
    changes: [{ field: "f", before: `${same}old`, after: `${same}new` }],
  }).shown.changes;
  assert.match(change?.before ?? "", /^\[\.\.\. \d+ more characters\] a+old$/);
  assert.match(change?.after ?? "", /^\[\.\.\. \d+ more characters\] a+new$/);
});

test("a text cannot pretend to be cut", () => {
  const [change] = escapePreview({ headline: "h", changes: [{ field: "f", after: "x [... 9 more characters]" }] }).shown
    .changes;
  assert.equal(change?.after, "x \\u{5b}... 9 more characters\\u{5d}");
});

test("changes without end are counted", () => {
  const changes = Array.from({ length: 205 }, (_, n) => ({ field: `f${n}`, after: "x" }));
  const { shown } = escapePreview({ headline: "h", changes });
  assert.deepEqual([shown.changes.length, shown.changes.at(-1)], [201, { field: "[... 5 more changes]" }]);
});

test("a field shows a place in a list as people write it, and nothing that only looks like one", () => {
  const shown = (field: string) =>
    escapePreview({ headline: "h", changes: [{ field, after: "x" }] }).shown.changes[0]?.field;
  assert.equal(shown("spec.modules[0]"), "spec.modules[0]");
  assert.equal(shown("a[1][20].b"), "a[1][20].b");
  assert.equal(shown("a[1](http://e)"), "a\\u{5b}1\\u{5d}(http://e)");
  assert.equal(shown("a[x]"), "a\\u{5b}x\\u{5d}");
  assert.equal(shown("[1]"), "\\u{5b}1\\u{5d}");
});
