import assert from "node:assert/strict";
import { test } from "node:test";
import { assignment } from "../fleet/fleet.fixture.ts";
import { declared, liveObject, liveSet } from "./gitops-objects.fixture.ts";
import { baseOf, type ProposedItem, statedOf } from "./gitops-store.ts";
import { movedObjects, proposalStale } from "./moved-objects.ts";

const base = liveObject(assignment("prod", { parameters: { replicas: 2 } }), { version: 3 });
const after = assignment("prod", { parameters: { replicas: 5 } });
const item: ProposedItem = {
  action: "update",
  kind: "Assignment",
  name: "prod",
  base: baseOf(base),
  before: statedOf(base),
  after,
};
const created: ProposedItem = { action: "create", kind: "Assignment", name: "prod", after: declared(after).object };

test("an object that is as it was found did not move, and one that was not there is still not there", () => {
  assert.equal(movedObjects([item], liveSet(base)).count, 0);
  assert.equal(movedObjects([created], liveSet()).count, 0);
});

const MOVES = {
  "was changed": liveObject(assignment("prod", { parameters: { replicas: 7 } }), { version: 4 }),
  "was changed and changed back": { ...base, version: 5 },
  "was deleted and made again, in the same version": { ...base, createdAt: "2026-02-02T00:00:00.000Z" },
  "belongs to somebody else now": { ...base, owner: "platform" },
  "is gone": undefined,
};
for (const [what, now] of Object.entries(MOVES))
  test(`an object that ${what} has moved`, () => {
    const { shown, count } = movedObjects([item], liveSet(...(now ? [now] : [])));
    const [moved] = shown;
    assert.equal(count, 1);
    assert.deepEqual([moved?.baseVersion, moved?.liveVersion], [3, now?.version ?? null]);
    assert.match(moved?.words ?? "", /^Assignment\/prod /);
  });

test("an object that appeared where one was to be created has moved", () => {
  assert.match(movedObjects([created], liveSet(base)).shown[0]?.words ?? "", /did not exist/);
});

test("each field that differs is seen as it was, as it is, and as it is wanted", () => {
  const now = liveObject(assignment("prod", { parameters: { replicas: 7, zone: "b" } }), { version: 4 });
  assert.deepEqual(movedObjects([item], liveSet(now)).shown[0]?.fields, [
    { field: "spec.parameters.replicas", base: "2", live: "7", desired: "5" },
    { field: "spec.parameters.zone", base: null, live: "b", desired: null },
  ]);
});

test("whoever applies is told the first few, and how many more there are", () => {
  const moved = movedObjects(
    Array.from({ length: 30 }, () => item),
    liveSet(),
  );
  const { code, message, details } = proposalStale(moved);
  assert.equal(code, "PROPOSAL_STALE");
  assert.match(message, /And 27 more\./);
  assert.equal((details as { moved: unknown[] }).moved.length, 20);
});
