import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fleetDocumentJsonSchema, includedFleetDocument, includeGlob, rootFleetDocument } from "./fleet-document.ts";

const head = { apiVersion: "countersign/v1", kind: "Fleet" };

test("a document lists what it declares, and nothing needs to be listed", () => {
  const empty = { templates: [], modules: [], assignments: [], providerConfigs: [] };
  assert.deepEqual(rootFleetDocument.parse(head), { ...head, include: [], ...empty });
  assert.deepEqual(includedFleetDocument.parse(head), { ...head, ...empty });
  const template = { name: "web", spec: { version: "1.0.0" } };
  assert.ok(rootFleetDocument.safeParse({ ...head, templates: [template] }).success);
  assert.ok(!rootFleetDocument.safeParse({ ...head, templates: [{ kind: "Template", ...template }] }).success);
});

test("only the root file includes others", () => {
  const including = { ...head, include: ["fleet/*.yaml"] };
  assert.ok(rootFleetDocument.safeParse(including).success);
  assert.ok(!includedFleetDocument.safeParse(including).success);
});

test("what is included lies in the tree, and is spelt in one way", () => {
  const taken = [
    "a",
    "a.yaml",
    "a/b.yaml",
    "**/*.yaml",
    ".hidden",
    "a..b",
    "...",
    "{a,b}/c?.yaml",
    "ü",
    "x".repeat(500),
  ];
  const refused = [
    "",
    ".",
    "..",
    "/a",
    "a/",
    "a//b",
    "./a",
    "a/./b",
    "../a",
    "a/..",
    "a\\b",
    "a\n",
    "\0",
    "x".repeat(501),
  ];
  for (const glob of taken) assert.ok(includeGlob.safeParse(glob).success, JSON.stringify(glob));
  for (const glob of refused) assert.ok(!includeGlob.safeParse(glob).success, JSON.stringify(glob));
});

test("the JSON Schema that is published is the one of the code", () => {
  const file = new URL("fleet.v1.schema.json", import.meta.url);
  const { properties } = fleetDocumentJsonSchema() as { properties: object };
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), fleetDocumentJsonSchema());
  assert.deepEqual(Object.keys(properties), Object.keys(rootFleetDocument.shape));
});
