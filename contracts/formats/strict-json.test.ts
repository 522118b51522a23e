import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { MAX_DEPTH } from "./canonical-json.ts";
import { locateFault } from "./json-fault.ts";
import { parseStrictJson } from "./strict-json.ts";

interface Case {
  rejected: string;
  accepted: string;
  path: string;
  offset: number;
  integersOnly?: boolean;
}

const cases: Record<string, Case> = {
  "two members of one name": { rejected: '{"a":1,"a":2}', accepted: '{"a":1,"b":2}', path: "a", offset: 7 },
  "two names of which one is escaped": {
    rejected: '{"a":1,"\\u0061":2}',
    accepted: '{"a":1,"\\u0062":2}',
    path: "a",
    offset: 7,
  },
  "two members of one name inside": {
    rejected: '{"x":[{}, {"b c":{}, "b c":{}}]}',
    accepted: '{"x":[{}, {"b c":{}, "bc":{}}]}',
    path: 'x[1]["b c"]',
    offset: 21,
  },
  "a shadowed object": { rejected: '{"a":{"b":1},"a":0}', accepted: '{"a":{"a":1}}', path: "a", offset: 13 },
  "an empty name twice": { rejected: '{"":1,"":2}', accepted: '{"":1}', path: '[""]', offset: 6 },
  "half of a surrogate pair": { rejected: '["\\ud800"]', accepted: '["\\ud83d\\ude00"]', path: "[0]", offset: 1 },
  "half of a pair in the text itself": { rejected: '["\ud800"]', accepted: '["\ud83d\ude00"]', path: "[0]", offset: 1 },
  "half of a pair in a name": { rejected: '{"\\udc00":1}', accepted: '{"\\ud83d\\udc00":1}', path: "", offset: 1 },
  "a name that is __proto__": {
    rejected: '{"a":{"__proto__":{}}}',
    accepted: '{"a":{"proto":{}}}',
    path: "a.__proto__",
    offset: 6,
  },
  "NUL in a string": { rejected: '{"a":"\\u0000"}', accepted: '{"a":"\\u0001"}', path: "a", offset: 5 },
  "NUL in a name": { rejected: '{"a\\u0000":1}', accepted: '{"a\\u0001":1}', path: "", offset: 1 },
  "a number too large": { rejected: "[1e400]", accepted: "[1e300]", path: "[0]", offset: 1 },
  "an open array": { rejected: "[1,2", accepted: "[1,2]", path: "[1]", offset: 4 },
  "a trailing comma": { rejected: '{"a":1,}', accepted: '{"a":1}', path: "", offset: 7 },
  "a trailing comma in an array": { rejected: "[1,]", accepted: "[1]", path: "[1]", offset: 3 },
  "a name without quotes": { rejected: "{a:1}", accepted: '{"a":1}', path: "", offset: 1 },
  "a missing colon": { rejected: '{"a" 1}', accepted: '{"a" :1}', path: "a", offset: 5 },
  "a missing value": { rejected: '{"a":}', accepted: '{"a":0}', path: "a", offset: 5 },
  "a missing comma": { rejected: '{"a":1 "b":2}', accepted: '{"a":1 ,"b":2}', path: "a", offset: 7 },
  "a wrong bracket": { rejected: '{"a":[1}', accepted: '{"a":[1]}', path: "a[0]", offset: 7 },
  "a second value": { rejected: "[1]x", accepted: "[1] ", path: "", offset: 3 },
  "a leading zero": { rejected: "[01]", accepted: "[10]", path: "[0]", offset: 2 },
  "a number without digits": { rejected: "[-]", accepted: "[-1]", path: "[0]", offset: 1 },
  "a word that is no literal": { rejected: "[NaN]", accepted: "[null]", path: "[0]", offset: 1 },
  "an unknown escape": { rejected: '["\\x41"]', accepted: '["\\u0041"]', path: "[0]", offset: 1 },
  "a raw control character": { rejected: '["a\tb"]', accepted: '["a\\tb"]', path: "[0]", offset: 3 },
  "an open string": { rejected: '["a\\"]', accepted: '["a\\\\"]', path: "[0]", offset: 6 },
  "an empty text": { rejected: "", accepted: "0", path: "", offset: 0 },
  "a byte order mark": { rejected: "\ufeff{}", accepted: " {}", path: "", offset: 0 },
  "a fraction in a signed record": {
    rejected: '{"a":1.5}',
    accepted: '{"a":15}',
    path: "a",
    offset: 5,
    integersOnly: true,
  },
  "an integer that a double rounds": {
    rejected: "[9007199254740993]",
    accepted: "[9007199254740991]",
    path: "[0]",
    offset: 1,
    integersOnly: true,
  },
};

suite("parseStrictJson", () => {
  for (const [name, { rejected, accepted, path, offset, integersOnly = false }] of Object.entries(cases)) {
    test(`${name}: place named, its twin accepted`, () => {
      assert.throws(() => parseStrictJson(rejected, { integersOnly }), {
        code: "INPUT_INVALID",
        path,
        details: { offset },
      });
      assert.deepEqual(parseStrictJson(accepted, { integersOnly }), JSON.parse(accepted));
    });
  }

  test("nests as deep as the limit, and no deeper", () => {
    const text = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    assert.deepEqual(parseStrictJson(text(MAX_DEPTH)), JSON.parse(text(MAX_DEPTH)));
    for (const levels of [MAX_DEPTH + 1, 1_000_000]) {
      assert.throws(() => parseStrictJson(text(levels)), { code: "INPUT_INVALID", details: { offset: MAX_DEPTH } });
    }
    assert.throws(() => parseStrictJson('{"a":'.repeat(1_000_000)), { code: "INPUT_INVALID" });
    // brackets inside of strings are no nesting
    assert.deepEqual(parseStrictJson(`["${"[".repeat(1000)}"]`), ["[".repeat(1000)]);
  });

  test("survives long runs of anything, and names their fault", () => {
    for (const run of [" ", "1", '"', "\\", '"\\', ",", "[],", ":", '\\"']) {
      const text = `[1, "${run.repeat(1_000_000)}`;
      assert.throws(() => parseStrictJson(text), { code: "INPUT_INVALID" });
      assert.throws(() => parseStrictJson(run.repeat(1_000_000)), { code: "INPUT_INVALID" });
    }
    assert.equal(parseStrictJson(`${" ".repeat(1_000_000)}1`), 1);
    assert.equal(parseStrictJson(`"${"\\\\".repeat(1_000_000)}"`), "\\".repeat(1_000_000));
  });

  test("says nothing of the text in its message", () => {
    assert.throws(
      () => parseStrictJson('{"password": hunter2}'),
      (error: Error) => {
        assert.ok(!error.message.includes("hunter2"));
        return error.cause === undefined;
      },
    );
  });

  test("agrees with JSON.parse about all texts without the extra faults", () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 5, stringUnit: "grapheme" }),
        fc.nat(),
        fc.constantFrom("{", "}", "[", "]", '"', ",", ":", "0", " ", "e", "-", ".", "\\", "u"),
        (text, at, char) => {
          const place = at % (text.length + 1);
          for (const edited of [
            text,
            text.slice(0, place) + char + text.slice(place),
            text.slice(0, place) + text.slice(place + 1),
          ]) {
            let expected: unknown;
            try {
              expected = JSON.parse(edited);
            } catch {
              assert.ok(locateFault(edited) !== undefined);
              assert.throws(() => parseStrictJson(edited), { code: "INPUT_INVALID" });
              continue;
            }
            const fault = locateFault(edited);
            if (fault === undefined) assert.deepEqual(parseStrictJson(edited), expected);
            else
              assert.throws(() => parseStrictJson(edited), {
                code: "INPUT_INVALID",
                details: { offset: fault.offset },
              });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
