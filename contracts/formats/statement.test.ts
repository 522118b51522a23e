import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Json } from "./canonical-json.ts";
import { digest } from "./canonical-json.ts";
import { buildStatement, parseStatement, STATEMENT_TYPE, type Statement, statementBytes } from "./statement.ts";

const type = "https://countersign.dev/test/v1";
const subject = { name: "input", digest: { sha256: digest("x") } };
const good: Statement = buildStatement([subject], type, { b: 1, a: ["x", null, true] });

suite("statements", () => {
  test("are canonical JSON and read back as they were", () => {
    const bytes = statementBytes(good);
    assert.equal(
      bytes.toString(),
      `{"_type":"${STATEMENT_TYPE}","predicate":{"a":["x",null,true],"b":1},"predicateType":"${type}","subject":[{"digest":{"sha256":"${digest("x")}"},"name":"input"}]}`,
    );
    assert.deepEqual(parseStatement(bytes, type), good);
  });

  const bad: Record<string, { value: unknown; path: string }> = {
    "another _type": { value: { ...good, _type: "https://in-toto.io/Statement/v0.1" }, path: "_type" },
    "no subject": { value: { ...good, subject: [] }, path: "subject" },
    "a subject without a name": { value: { ...good, subject: [{ ...subject, name: "" }] }, path: "subject[0].name" },
    "a short digest": {
      value: { ...good, subject: [{ ...subject, digest: { sha256: "ab" } }] },
      path: "subject[0].digest.sha256",
    },
    "a digest of another kind": {
      value: { ...good, subject: [{ ...subject, digest: { ...subject.digest, md5: "ab" } }] },
      path: "subject[0].digest",
    },
    "a predicate type that is no URL": { value: { ...good, predicateType: "receipt" }, path: "predicateType" },
    "a predicate that is no object": { value: { ...good, predicate: [1] }, path: "predicate" },
    "an unknown field": { value: { ...good, note: 1 }, path: "" },
  };
  for (const [name, { value, path }] of Object.entries(bad)) {
    test(`with ${name} are neither made nor read`, () => {
      assert.throws(() => statementBytes(value as Statement), { code: "ENVELOPE_INVALID", path });
      assert.throws(() => parseStatement(Buffer.from(JSON.stringify(value)), type), { code: "ENVELOPE_INVALID", path });
    });
  }

  test("hold integers alone", () => {
    const fraction = { ...good, predicate: { price: 1.5 as Json } };
    assert.throws(() => statementBytes(fraction), { code: "CANONICAL_INVALID", path: "predicate.price" });
    assert.throws(() => parseStatement(Buffer.from(JSON.stringify(fraction)), type), {
      code: "ENVELOPE_INVALID",
      path: "predicate.price",
    });
  });

  test("of another meaning are refused however well formed", () => {
    const other = buildStatement([subject], "https://countersign.dev/other/v1", { b: 1 });
    assert.throws(() => parseStatement(statementBytes(other), type), {
      code: "ENVELOPE_INVALID",
      path: "predicateType",
    });
    assert.deepEqual(parseStatement(statementBytes(other), other.predicateType), other);
  });

  test("in anything but strict JSON in UTF-8 are refused", () => {
    const text = JSON.stringify(good);
    const twice = text.replace('"b":1', '"b":1,"b":2');
    assert.throws(() => parseStatement(Buffer.from(twice), type), { code: "ENVELOPE_INVALID", path: "predicate.b" });
    assert.throws(() => parseStatement(Buffer.from(text.replace('"x"', '"é"'), "latin1"), type), {
      code: "ENVELOPE_INVALID",
    });
    assert.throws(() => parseStatement(Buffer.from(`\ufeff${text}`), type), { code: "ENVELOPE_INVALID" });
    assert.deepEqual(parseStatement(Buffer.from(text), type), good);
  });
});
