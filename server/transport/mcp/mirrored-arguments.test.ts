import assert from "node:assert/strict";
import { test } from "node:test";
import { mirrorFault } from "./mirrored-arguments.ts";

const MIRRORED = { Region: "region", Count: "count" };
const HEADER = "mcp-param-region";

const accept: [string, Record<string, unknown>, Record<string, string>][] = [
  ["the same", { region: "eu" }, { [HEADER]: "eu" }],
  ["in Base64", { region: "Zürich" }, { [HEADER]: `=?base64?${Buffer.from("Zürich").toString("base64")}?=` }],
  ["what only begins like Base64", { region: "=?base64?SGVsbG8=" }, { [HEADER]: "=?base64?SGVsbG8=" }],
  ["a number, however written", { count: 42 }, { "mcp-param-count": "42.0" }],
  ["no argument, no header", {}, {}],
  ["no argument, a header", { region: null }, { [HEADER]: "eu" }],
  ["a header of no argument", { region: "eu" }, { [HEADER]: "eu", "mcp-param-other": "x" }],
];

const reject: [string, Record<string, unknown>, Record<string, string>][] = [
  ["another", { region: "eu" }, { [HEADER]: "us" }],
  ["another case", { region: "eu" }, { [HEADER]: "EU" }],
  ["none", { region: "eu" }, {}],
  ["sent twice", { region: "eu" }, { [HEADER]: "eu, eu" }],
  ["Base64 without its padding", { region: "Hello" }, { [HEADER]: "=?base64?SGVsbG8?=" }],
  ["Base64 with other characters", { region: "Hello" }, { [HEADER]: "=?base64?SGVs!!!bG8=?=" }],
  ["Base64 of no UTF-8", { region: "\ufffd" }, { [HEADER]: "=?base64?/w==?=" }],
  ["no number", { count: 42 }, { "mcp-param-count": "0x2a" }],
  ["a structure", { region: { eu: true } }, { [HEADER]: "eu" }],
];

for (const [name, args, headers] of accept)
  test(`a header repeats its argument: ${name}`, () => assert.equal(mirrorFault(MIRRORED, args, headers), undefined));

for (const [name, args, headers] of reject)
  test(`a header does not: ${name}`, () => {
    const fault = mirrorFault(MIRRORED, args, headers);
    assert.equal(fault?.code, "INPUT_INVALID");
    assert.match(fault?.path ?? "", /^headers\.mcp-param-/);
  });
