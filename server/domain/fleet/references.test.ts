import assert from "node:assert/strict";
import { test } from "node:test";
import type { DesiredFleetObject, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { assignment, module, provider, template } from "./fleet.fixture.ts";
import type { FleetReader } from "./fleet-store.ts";
import { checkReferences, referencesOf, refText } from "./references.ts";

/** The reading half of a store, over a list; dependencies are all that there are, as far as the walk is concerned. */
function fleetOf(...objects: DesiredFleetObject[]): FleetReader {
  const live = objects as unknown as LiveFleetObject[];
  const modules = objects.filter((object) => object.kind === "Module");
  return {
    find: async (refs) => live.filter((object) => refs.some((ref) => refText(ref) === refText(object))),
    dependencies: async () => modules.flatMap(({ name, spec }) => spec.dependsOn.map((to) => ({ from: name, to }))),
  } satisfies Partial<FleetReader> as unknown as FleetReader;
}

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

for (const [what, object, path] of [
  ["a template's second module", template("web", { modules: ["a", "nothing"] }), "object.spec.modules[1]"],
  ["an assignment's provider", assignment("x", { provider: "nothing" }), "object.spec.provider"],
  ["a provider that is a template", assignment("x", { provider: "web" }), "object.spec.provider"],
  ["a module's dependency", module("c", ["nothing"]), "object.spec.dependsOn[0]"],
] as const) {
  const fleet = fleetOf(module("a"), template("web"), provider("edge"));
  test(`${what} is missing`, () => assert.rejects(checkReferences(fleet, object), { code: "REFERENCE_MISSING", path }));
}

test("what exists is answered with", async () => {
  const fleet = fleetOf(module("a"), template("web"), provider("edge"));
  assert.deepEqual((await checkReferences(fleet, assignment("x"))).map(refText), [
    "Template/web",
    "ProviderConfig/edge",
  ]);
  assert.deepEqual((await checkReferences(fleet, template("web", { modules: ["a"] }))).map(refText), ["Module/a"]);
});

for (const [what, object, known, way] of [
  ["itself, when it is new", module("a", ["a"]), [], "a -> a"],
  ["itself, when it exists", module("a", ["a"]), [module("a")], "a -> a"],
  ["a module that depends on it", module("a", ["b"]), [module("a"), module("b", ["a"])], "a -> b -> a"],
  [
    "the first of a chain that ends at it",
    module("a", ["b", "c"]),
    [module("a"), module("b"), module("c", ["d"]), module("d", ["b", "e"]), module("e", ["a"])],
    "a -> c -> d -> e -> a",
  ],
] as const) {
  test(`a module may not depend on ${what}`, () =>
    assert.rejects(checkReferences(fleetOf(...known), object), {
      code: "CONFLICT",
      path: "object.spec.dependsOn",
      message: `object.spec.dependsOn: a circle, ${way}`,
    }));
}

test("many ways to one module are no circle, and its own old dependencies do not count", async () => {
  const fleet = fleetOf(module("a", ["b"]), module("b", ["d"]), module("c", ["d"]), module("d"));
  await checkReferences(fleet, module("a", ["b", "c", "d"]));
  await checkReferences(fleet, module("new", ["a", "b", "c", "d"]));
});
