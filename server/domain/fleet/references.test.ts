import assert from "node:assert/strict";
import { test } from "node:test";
import { assignment, module, provider, template } from "./fleet.fixture.ts";
import { referencesOf } from "./references.ts";

test("each kind names what it refers to, and where it says so", () => {
  assert.deepEqual(referencesOf(template("web", { modules: ["a", "b"] })), [
    { kind: "Module", name: "a", path: "object.spec.modules[0]" },
    { kind: "Module", name: "b", path: "object.spec.modules[1]" },
  ]);
  assert.deepEqual(referencesOf(module("a", ["b"])), [{ kind: "Module", name: "b", path: "object.spec.dependsOn[0]" }]);
  assert.deepEqual(referencesOf(assignment("x")), [
    { kind: "Template", name: "web", path: "object.spec.template" },
    { kind: "ProviderConfig", name: "edge", path: "object.spec.provider" },
  ]);
  assert.deepEqual(referencesOf(provider("edge")), []);
});
