import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalize, type Json } from "../../../contracts/formats/canonical-json.ts";
import { assignment, module, provider, template } from "../fleet/fleet.fixture.ts";
import { refText } from "../fleet/references.ts";
import { declared, liveObject, liveSet } from "./gitops-objects.fixture.ts";
import { type FleetAsFound, planChanges } from "./plan-changes.ts";

const plan = (found: Partial<FleetAsFound>) =>
  planChanges({ repository: "fleet", declared: [], live: new Map(), referrals: [], ...found });

const shown = ({ items }: ReturnType<typeof planChanges>) =>
  [...items.changes, ...items.deletes].map((item) => `${item.action} ${refText(item)} ${item.base?.version ?? "-"}`);

test("what is not there is created, what differs is changed, what is declared no more is deleted", () => {
  const found = {
    declared: [declared(template("new")), declared(template("other", { version: "2.0.0" })), declared(module("same"))],
    live: liveSet(
      liveObject(template("other"), { version: 4 }),
      liveObject(module("same")),
      liveObject(module("gone"), { version: 7 }),
    ),
  };
  assert.deepEqual(shown(plan(found)), ["create Template/new -", "update Template/other 4", "delete Module/gone 7"]);
  const { declared: all, unchanged, create, update, adopt, delete: deleted, refused } = plan(found).counts;
  assert.deepEqual([all, unchanged, create, update, adopt, deleted, refused], [3, 1, 1, 1, 0, 1, 0]);
});

test("the order of keys in maps is no difference; the order of a list that counts is one", () => {
  const labels = { a: "1", b: "2" };
  const live = liveObject({ ...template("web", { modules: ["a", "b"] }), labels: { b: "2", a: "1" } });
  const same = { ...template("web", { modules: ["a", "b"] }), labels };
  assert.deepEqual(shown(plan({ declared: [declared(same)], live: liveSet(live) })), []);
  const turned = { ...template("web", { modules: ["b", "a"] }), labels };
  assert.deepEqual(shown(plan({ declared: [declared(turned)], live: liveSet(live) })), ["update Template/web 1"]);
});

test("what belongs to nobody is adopted, also where nothing else differs; what belongs to others is refused", () => {
  const nobodys = liveObject(provider("edge"), { owner: null, version: 2 });
  assert.deepEqual(shown(plan({ declared: [declared(provider("edge"))], live: liveSet(nobodys) })), [
    "adopt ProviderConfig/edge 2",
  ]);
  const others = plan({
    declared: [declared(provider("edge"), 12)],
    live: liveSet(liveObject(provider("edge"), { owner: "platform" })),
  });
  assert.deepEqual(shown(others), []);
  const [problem] = others.problems;
  assert.deepEqual([problem?.code, problem?.file, problem?.line], ["OWNED_ELSEWHERE", "fleet.yaml", 12]);
  assert.match(problem?.message ?? "", /platform.*fleet/);
});

test("what others refer to is not proposed for deletion; what goes away with it, or is declared anew, does not count", () => {
  const live = liveSet(liveObject(module("base")), liveObject(template("web"), { owner: "platform" }));
  const referral = { from: template("web"), to: module("base") };
  const kept = plan({ live, referrals: [referral] });
  assert.deepEqual(
    [shown(kept), kept.problems.map(({ code, path }) => [code, path])],
    [[], [["IN_USE", "Module/base"]]],
  );

  const together = liveSet(liveObject(module("base")), liveObject(template("web")));
  assert.equal(plan({ live: together, referrals: [referral] }).items.deletes.length, 2);
  const anew = plan({ live: together, declared: [declared(template("web"))], referrals: [referral] });
  assert.deepEqual(shown(anew), ["delete Module/base 1"]);
});

test("the same input gives the same bytes, in whatever order it comes", () => {
  const objects = [
    module("a"),
    module("b", ["a"]),
    template("web", { modules: ["b"] }),
    provider("edge"),
    assignment("x"),
  ];
  const live = [
    liveObject(module("a"), { version: 3 }),
    liveObject(module("z")),
    liveObject(provider("edge"), { owner: null }),
  ];
  const bytes = (order: number[]) => {
    const turned = <T>(list: readonly T[]) =>
      list.toSorted((a, b) => (order[list.indexOf(a)] ?? 0) - (order[list.indexOf(b)] ?? 0));
    const found = { declared: turned(objects.map((o, i) => declared(o, i))), live: liveSet(...turned(live)) };
    return canonicalize(plan(found) as unknown as Json);
  };
  const once = bytes([0, 1, 2, 3, 4]);
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 5, maxLength: 5 }), (order) => bytes(order) === once),
    { seed: 7, numRuns: 50 },
  );
});
