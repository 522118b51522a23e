import assert from "node:assert/strict";
import { test } from "node:test";
import type { DesiredFleetObject, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { checkSet } from "./check-set.ts";
import { assignment, module, provider, template } from "./fleet.fixture.ts";
import { byRef } from "./fleet-set.ts";
import type { FleetReader, FleetRef } from "./fleet-store.ts";
import { referencesOf, refText } from "./references.ts";

const isAmong = (refs: readonly FleetRef[], ref: FleetRef) => refs.some((one) => refText(one) === refText(ref));

/** Checks a set against a fleet that is a list; dependencies are all that there are, as far as the walk is concerned. */
function check(objects: readonly DesiredFleetObject[], puts: readonly DesiredFleetObject[], deletes: FleetRef[] = []) {
  const live = objects.map((object) => ({ ...object, version: 1 }) as unknown as LiveFleetObject);
  const referrals = objects.flatMap((from) => referencesOf(from).map((to) => ({ from, to })));
  const fleet = {
    find: async (refs) => live.filter((object) => isAmong(refs, object)),
    referrers: async (refs) => referrals.filter(({ from, to }) => isAmong(refs, to) && refText(from) !== refText(to)),
    dependencies: async () =>
      referrals.flatMap(({ from, to }) => (from.kind === "Module" ? [{ from: from.name, to: to.name }] : [])),
  } satisfies Partial<FleetReader> as unknown as FleetReader;
  return checkSet(fleet, { puts, deletes }, byRef(live.filter((one) => isAmong([...puts, ...deletes], one))));
}

for (const [what, object, path] of [
  ["a template's second module", template("web", { modules: ["a", "nothing"] }), "object.spec.modules[1]"],
  ["an assignment's provider", assignment("x", { provider: "nothing" }), "object.spec.provider"],
  ["a provider that is a template", assignment("x", { provider: "web" }), "object.spec.provider"],
  ["a module's dependency", module("c", ["nothing"]), "object.spec.dependsOn[0]"],
] as const) {
  const fleet = [module("a"), template("web"), provider("edge")];
  test(`${what} is missing`, () => assert.rejects(check(fleet, [object]), { code: "REFERENCE_MISSING", path }));
}

test("what exists, or comes in the same set, may be referred to; what goes away in it may not", async () => {
  const fleet = [module("a"), template("web"), provider("edge")];
  await check(fleet, [assignment("x"), template("api", { modules: ["a", "b"] }), module("b")]);
  await assert.rejects(check(fleet, [template("api", { modules: ["a"] })], [module("a")]), {
    code: "REFERENCE_MISSING",
  });
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
    assert.rejects(check(known, [object]), {
      code: "CONFLICT",
      path: "object.spec.dependsOn",
      message: `object.spec.dependsOn: a circle, ${way}`,
    }));
}

test("many ways to one module are no circle, and its own old dependencies do not count", async () => {
  const fleet = [module("a", ["b"]), module("b", ["d"]), module("c", ["d"]), module("d")];
  await check(fleet, [module("a", ["b", "c", "d"])]);
  await check(fleet, [module("new", ["a", "b", "c", "d"])]);
});

test("a dependency turns round in one set, where one step after the other would be a circle", async () => {
  const fleet = [module("a", ["b"]), module("b")];
  await assert.rejects(check(fleet, [module("b", ["a"])]), { code: "CONFLICT" });
  await check(fleet, [module("b", ["a"]), module("a")]);
});

test("a template and its assignments change together, where one without the other would not fit", async () => {
  const old = template("web", { parameters: { size: { type: "integer", required: true } } });
  const changed = template("web", { parameters: { zone: { type: "string", required: true } } });
  const now = assignment("prod", { parameters: { zone: "eu" } });
  const fleet = [old, provider("edge"), assignment("prod", { parameters: { size: 1 } })];
  await assert.rejects(check(fleet, [changed]), { code: "IN_USE", path: "object.spec.parameters" });
  await assert.rejects(check(fleet, [now]), { code: "INPUT_INVALID", path: "object.spec.parameters.zone" });
  await check(fleet, [changed, now]);
  await check(fleet, [changed], [now]);
});

test("what refers to each other goes away together, and not while something that stays refers to it", async () => {
  const fleet = [module("a"), template("web", { modules: ["a"] }), provider("edge"), assignment("prod")];
  const [a, web, prod] = [module("a"), template("web"), assignment("prod")];
  await assert.rejects(check(fleet, [], [a]), { code: "IN_USE", message: /Template\/web/ });
  await assert.rejects(check(fleet, [], [a, web]), { code: "IN_USE", message: /Assignment\/prod/ });
  await check(fleet, [], [a, web, prod]);
  await check(fleet, [template("web")], [a]);
});

test("a large fleet of modules that lean on each other is looked at once, and a circle in it is found", async () => {
  const names = Array.from({ length: 5_000 }, (_, i) => `m${i}`);
  const chain = names.map((name, i) => module(name, names.slice(i + 1, i + 33)));
  await check([], chain);
  const last = names.at(-1) ?? "";
  await assert.rejects(check([], [...chain.slice(0, -1), module(last, ["m0"])]), { code: "CONFLICT" });
});
