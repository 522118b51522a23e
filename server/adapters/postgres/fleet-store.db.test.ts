import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import type { DesiredFleetObject } from "../../../contracts/fleet/object.ts";
import { uncatalogued } from "../../../contracts/telemetry/events.ts";
import type { NewEvent } from "../../domain/events/event-store.ts";
import { deleteObject, previewDelete } from "../../domain/fleet/delete-object.ts";
import { assignment, module, provider, template } from "../../domain/fleet/fleet.fixture.ts";
import type { FleetReader, FleetRef, FleetWriter } from "../../domain/fleet/fleet-store.ts";
import { previewPut, putObject } from "../../domain/fleet/put-object.ts";
import { objectTarget, readObject } from "../../domain/fleet/read-object.ts";
import { refText } from "../../domain/fleet/references.ts";
import { accountWriter } from "./account-store.ts";
import type { Session } from "./database.ts";
import { fleetStore } from "./fleet-store.ts";
import { overlap, race } from "./overlap.fixture.ts";
import { type TestDatabase, testDatabase } from "./test-database.ts";

let db: TestDatabase;
before(async () => {
  db = await testDatabase();
});
after(() => db[Symbol.asyncDispose]());

const BY = v7();
const ACT = { principalId: BY, callId: v7() };
type Tx = { fleet: FleetReader & FleetWriter; events: { emit(...events: readonly NewEvent[]): Promise<void> } };

/** An account's fleet, as the gate's transactions reach it. */
async function newFleet() {
  const accountId = v7();
  await db.database.transact(accountId, (session) =>
    accountWriter(session).addAccount({
      id: accountId,
      name: "Laboratory",
      profile: "team",
      isHub: false,
      createdAt: new Date(),
    }),
  );
  const events: NewEvent[] = [];
  const emit = async (...emitted: readonly NewEvent[]) => {
    for (const event of emitted) assert.equal(uncatalogued(event), undefined);
    events.push(...emitted);
  };
  const change = <T>(fn: (tx: Tx) => Promise<T>) =>
    db.database.transact(accountId, (session) => fn({ fleet: fleetStore(session), events: { emit } }));
  const read = <T>(fn: (fleet: FleetReader) => Promise<T>) =>
    db.database.read(accountId, (session) => fn(fleetStore(session)));
  const put = (object: DesiredFleetObject, expectedVersion?: number) =>
    change((tx) => putObject(tx, { object, expectedVersion }, ACT));
  const remove = (ref: FleetRef, expectedVersion = 1) =>
    change((tx) => deleteObject(tx, { kind: ref.kind, name: ref.name, expectedVersion }, ACT));
  const get = (ref: FleetRef) => read((fleet) => fleet.get(ref));
  /** Every reference, as rows. */
  const references = () =>
    db.database.read(accountId, async (session) => {
      const text = "select from_kind || '/' || from_name || ' ' || to_kind || '/' || to_name as r from fleet_reference";
      return (await session.query<{ r: string }>(`${text} order by 1`)).rows.map(({ r }) => r);
    });
  return { accountId, events, change, read, put, remove, get, references };
}
type Fleet = Awaited<ReturnType<typeof newFleet>>;

/** The second begins when the first has done its work and not committed yet. */
const collide = (fleet: Fleet, first: (tx: Tx) => Promise<unknown>, second: (tx: Tx) => Promise<unknown>) =>
  overlap(db.database, fleet.change, first, second);
const putting =
  (object: DesiredFleetObject, expectedVersion?: number) =>
  (tx: Tx): Promise<unknown> =>
    putObject(tx, { object, expectedVersion }, ACT);
const deleting =
  (object: FleetRef, expectedVersion = 1) =>
  (tx: Tx): Promise<unknown> =>
    deleteObject(tx, { kind: object.kind, name: object.name, expectedVersion }, ACT);

const labelled = (object: DesiredFleetObject, labels: Record<string, string>): DesiredFleetObject => ({
  ...object,
  labels,
});

test("an object is created, changed, and left as it is where nothing differs", async () => {
  const fleet = await newFleet();
  const created = await fleet.put(template("web"));
  assert.equal(created.change, "created");
  assert.equal(created.object.version, 1);
  assert.deepEqual([created.object.owner, created.object.updatedBy], [null, BY]);

  const changed = template("web", { description: "for the web" });
  const updated = await fleet.put(changed, 1);
  assert.deepEqual([updated.change, updated.object.version], ["updated", 2]);
  assert.equal(updated.object.createdAt, created.object.createdAt);
  assert.deepEqual(await fleet.get(changed), updated.object);

  const again = await fleet.put(structuredClone(changed), 2);
  assert.deepEqual(again, { change: "unchanged", object: updated.object });
  assert.deepEqual(
    fleet.events.map(({ type, subject, data }) => [type, subject, data.version]),
    [
      ["fleet.object_created", "fleet/Template/web", 1],
      ["fleet.object_updated", "fleet/Template/web", 2],
    ],
  );
});

for (const [what, object] of [
  ["labels", labelled(template("web"), { team: "a" })],
  ["annotations", { ...template("web"), annotations: { note: "x" } }],
  ["the spec", template("web", { version: "1.0.1" })],
] as const) {
  test(`a difference in ${what} is a change`, async () => {
    const fleet = await newFleet();
    await fleet.put(template("web"));
    assert.equal((await fleet.put(object, 1)).change, "updated");
  });
}

test("a put that saw another version is refused and told which one is in force", async () => {
  const fleet = await newFleet();
  const conflict = (found: number | null) => ({
    code: "VERSION_CONFLICT",
    path: "expectedVersion",
    details: { found },
  });
  await assert.rejects(fleet.put(template("web"), 1), conflict(null));
  await fleet.put(template("web"));
  await assert.rejects(fleet.put(template("web")), conflict(1));
  await fleet.put(template("web", { version: "2.0.0" }), 1);
  await assert.rejects(fleet.put(template("web", { version: "3.0.0" }), 1), conflict(2));
  await assert.rejects(fleet.remove(template("web"), 1), conflict(2));
  await assert.rejects(
    fleet.read((f) => previewPut(f, { object: template("web"), expectedVersion: 1 }, "A")),
    conflict(2),
  );
  assert.equal((await fleet.get(template("web")))?.spec.version, "2.0.0");
});

test("whoever puts an owned object, its owner stays: it is the owner's repository that will show the drift", async () => {
  const fleet = await newFleet();
  await fleet.change((tx) => tx.fleet.insert([{ ...template("web"), owner: "git/fleet", updatedBy: BY }]));
  const { object } = await fleet.put(template("web", { version: "2.0.0" }), 1);
  assert.deepEqual([object.version, object.owner], [2, "git/fleet"]);
  const target = await fleet.read((f) => objectTarget(f, template("web")));
  assert.deepEqual(target.attributes, { kind: "Template", name: "web", labels: {}, owner: "git/fleet" });
});

test("references follow the object: set, replaced, kept where nothing changed, gone with it", async () => {
  const fleet = await newFleet();
  for (const name of ["a", "b", "c"]) await fleet.put(module(name));
  await fleet.put(template("web", { modules: ["a", "b"] }));
  assert.deepEqual(await fleet.references(), ["Template/web Module/a", "Template/web Module/b"]);
  await fleet.put(template("web", { modules: ["b", "c"] }), 1);
  assert.deepEqual(await fleet.references(), ["Template/web Module/b", "Template/web Module/c"]);
  await fleet.put(template("web", { modules: ["b", "c"] }), 2);
  assert.deepEqual(await fleet.references(), ["Template/web Module/b", "Template/web Module/c"]);
  await fleet.put(template("web"), 2);
  assert.deepEqual(await fleet.references(), []);
  await fleet.put(template("web", { modules: ["a"] }), 3);
  await fleet.remove(template("web"), 4);
  assert.deepEqual(await fleet.references(), []);
});

test("a reference to nothing is refused, and nothing is written", async () => {
  const fleet = await newFleet();
  const missing = { code: "REFERENCE_MISSING", path: "object.spec.modules[1]" };
  await fleet.put(module("a"));
  await assert.rejects(fleet.put(template("web", { modules: ["a", "b"] })), missing);
  assert.equal(await fleet.get(template("web")), undefined);
  await fleet.put(module("b"));
  await fleet.put(template("web", { modules: ["a", "b"] }));
});

test("what is referred to is not deleted; what refers is named", async () => {
  const fleet = await newFleet();
  await fleet.put(template("web"));
  await fleet.put(provider("edge"));
  await fleet.put(assignment("prod"));
  const inUse = { code: "IN_USE", path: "name", message: /Assignment\/prod/ };
  await assert.rejects(fleet.remove(template("web")), inUse);
  await assert.rejects(fleet.remove(provider("edge")), inUse);
  const input = { kind: "Template", name: "web", expectedVersion: 1 } as const;
  await assert.rejects(
    fleet.read((f) => previewDelete(f, input, "A")),
    inUse,
  );
  await fleet.remove(assignment("prod"));
  await fleet.remove(template("web"));
  assert.equal(await fleet.get(template("web")), undefined);
  assert.deepEqual(fleet.events.at(-1), {
    type: "fleet.object_deleted",
    subject: "fleet/Template/web",
    data: { version: 1, by: BY, call: ACT.callId },
  });
});

test("an object that is not there is neither read nor deleted", async () => {
  const fleet = await newFleet();
  const other = await newFleet();
  await other.put(template("web"));
  await assert.rejects(
    fleet.read((f) => readObject(f, template("web"))),
    { code: "NOT_FOUND" },
  );
  await assert.rejects(fleet.remove(template("web")), { code: "NOT_FOUND" });
  assert.equal((await fleet.read((f) => objectTarget(f, template("web")))).version, "absent");
  await fleet.put(template("web"));
  await fleet.remove(template("web"));
  assert.ok(await other.get(template("web")), "the other account's stays");
});

test("modules may not depend on themselves in a circle, however long", async () => {
  const fleet = await newFleet();
  await assert.rejects(fleet.put(module("self", ["self"])), { code: "CONFLICT", path: "object.spec.dependsOn" });
  await fleet.put(module("m0"));
  for (let i = 1; i < 30; i++) await fleet.put(module(`m${i}`, [`m${i - 1}`]));
  await assert.rejects(fleet.put(module("m0", ["m29"]), 1), {
    code: "CONFLICT",
    message: /m0 -> m29 -> .* -> m1 -> m0$/,
  });
  await fleet.put(module("m29", ["m27", "m0"]), 1);
});

test("an assignment sets what its template declares; a template does not change under one that would no longer fit", async () => {
  const fleet = await newFleet();
  const declares = (parameters: object) => template("web", { parameters: parameters as never });
  await fleet.put(declares({ size: { type: "integer", required: true } }));
  await fleet.put(provider("edge"));
  const path = "object.spec.parameters.size";
  await assert.rejects(fleet.put(assignment("prod")), { code: "INPUT_INVALID", path });
  await assert.rejects(fleet.put(assignment("prod", { parameters: { size: "1" } })), { code: "INPUT_INVALID", path });
  await fleet.put(assignment("prod", { parameters: { size: 1 } }));

  const inUse = { code: "IN_USE", path: "object.spec.parameters", message: /Assignment\/prod/ };
  await assert.rejects(fleet.put(declares({ size: { type: "string", required: true } }), 1), inUse);
  await assert.rejects(fleet.put(declares({}), 1), inUse);
  await fleet.put(
    declares({ size: { type: "integer", required: false }, tier: { type: "string", required: false } }),
    1,
  );
});

test("what approvers see says what would happen", async () => {
  const fleet = await newFleet();
  const preview = (object: DesiredFleetObject, expectedVersion?: number) =>
    fleet.read((f) => previewPut(f, { object, expectedVersion }, "bot"));
  assert.deepEqual(await preview(template("web")), {
    headline: "bot asks to create Template/web",
    changes: [{ field: "spec.version", after: "1.0.0" }],
  });
  await fleet.put(template("web"));
  assert.deepEqual(await preview(template("web", { version: "1.1.0" }), 1), {
    headline: "bot asks to change Template/web",
    changes: [{ field: "spec.version", before: "1.0.0", after: "1.1.0" }],
  });
  assert.deepEqual((await preview(template("web"), 1)).changes, []);
  const input = { kind: "Template", name: "web", expectedVersion: 1 } as const;
  assert.deepEqual(await fleet.read((f) => previewDelete(f, input, "bot")), {
    headline: "bot asks to DELETE Template/web",
    changes: [{ field: "spec.version", before: "1.0.0" }],
  });
});

test("a statement that failed takes its whole transaction back", async () => {
  const fleet = await newFleet();
  const write = { ...template("web"), owner: null, updatedBy: BY };
  await fleet.put(template("web"));
  const twice = fleet.change(async (tx) => {
    await putObject(tx, { object: module("a") }, ACT);
    await tx.fleet.insert([write]);
  });
  await assert.rejects(twice, { code: "ALREADY_EXISTS", path: "object.name" });
  const swallowed = fleet.change(async (tx) => {
    await putObject(tx, { object: module("a") }, ACT);
    await tx.fleet.insert([write]).catch(() => {});
  });
  await assert.rejects(swallowed, { code: "INTERNAL" }, "a swallowed failure does not pass for success");
  const after = fleet.change(async (tx) => {
    await tx.fleet.insert([write]).catch(() => {});
    await tx.fleet.get(template("web"));
  });
  await assert.rejects(after, "an aborted transaction answers nothing more");
  assert.equal(await fleet.get(module("a")), undefined);
});

// two at once

test("two create one name: one is told that it exists", async () => {
  const fleet = await newFleet();
  const { won, lost } = await collide(fleet, putting(template("web")), putting(template("web", { version: "2.0.0" })));
  assert.deepEqual({ won, lost }, { won: 1, lost: ["ALREADY_EXISTS"] });
  const many = await race(Array.from({ length: 12 }, (_, i) => fleet.put(template("api", { version: `1.0.${i}` }))));
  assert.equal(many.won, 1);
  assert.ok(
    many.lost.every((code) => ["ALREADY_EXISTS", "VERSION_CONFLICT"].includes(code)),
    String(many.lost),
  );
});

test("two change one version: one is told that it moved", async () => {
  const fleet = await newFleet();
  await fleet.put(template("web"));
  const first = putting(template("web", { version: "2.0.0" }), 1);
  const { won, lost } = await collide(fleet, first, putting(template("web", { version: "3.0.0" }), 1));
  assert.deepEqual({ won, lost }, { won: 1, lost: ["VERSION_CONFLICT"] });
  const live = await fleet.get(template("web"));
  assert.deepEqual([live?.version, live?.spec.version], [2, "2.0.0"]);
  const many = await race(Array.from({ length: 12 }, (_, i) => fleet.put(template("web", { version: `4.0.${i}` }), 2)));
  assert.deepEqual([many.won, new Set(many.lost)], [1, new Set(["VERSION_CONFLICT"])]);
});

test("one deletes what another begins to refer to: whoever is second is refused", async () => {
  const fleet = await newFleet();
  const web = template("web", { modules: ["a"] });
  await fleet.put(module("a"));
  assert.deepEqual(await collide(fleet, deleting(module("a")), putting(web)), { won: 1, lost: ["REFERENCE_MISSING"] });
  await fleet.put(module("a"));
  assert.deepEqual(await collide(fleet, putting(web), deleting(module("a"))), { won: 1, lost: ["IN_USE"] });
  assert.deepEqual(await fleet.references(), ["Template/web Module/a"]);
});

test("the database itself keeps references whole, also where nobody looked first", async () => {
  const fleet = await newFleet();
  await fleet.put(module("a"));
  await fleet.put(template("web"));
  const refer = (tx: Tx) => tx.fleet.setReferences([{ from: template("web"), to: [module("a")] }]);
  const remove = (tx: Tx) => tx.fleet.remove([module("a")]);
  assert.deepEqual(await collide(fleet, remove, refer), { won: 1, lost: ["REFERENCE_MISSING"] });
  await fleet.put(module("a"));
  assert.deepEqual(await collide(fleet, refer, remove), { won: 1, lost: ["IN_USE"] });
});

test("two modules begin to depend on each other: one is refused", async () => {
  const fleet = await newFleet();
  for (const name of ["a", "b", "c", "d"]) await fleet.put(module(name));
  assert.deepEqual(await collide(fleet, putting(module("a", ["b"]), 1), putting(module("b", ["a"]), 1)), {
    won: 1,
    lost: ["CONFLICT"],
  });
  // by way of others: a -> b and c -> d stand, b -> c and d -> a are put at once
  await fleet.put(module("c", ["d"]), 1);
  assert.deepEqual(await collide(fleet, putting(module("b", ["c"]), 1), putting(module("d", ["a"]), 1)), {
    won: 1,
    lost: ["CONFLICT"],
  });
  const names = ["p", "q", "r", "s"];
  for (const name of names) await fleet.put(module(name));
  const ring = names.map((name, i) => fleet.put(module(name, [names[(i + 1) % 4] ?? ""]), 1));
  assert.deepEqual(await race(ring), { won: 3, lost: ["CONFLICT"] });
});

test("a template changes while an assignment is made for what it declared: whoever is second is refused", async () => {
  const fleet = await newFleet();
  const old = template("web", { parameters: { size: { type: "integer", required: true } } });
  const changed = template("web", { parameters: { name: { type: "string", required: true } } });
  const prod = assignment("prod", { parameters: { size: 1 } });
  await fleet.put(old);
  await fleet.put(provider("edge"));
  assert.deepEqual(await collide(fleet, putting(prod), putting(changed, 1)), { won: 1, lost: ["IN_USE"] });
  await fleet.remove(prod);
  assert.deepEqual(await collide(fleet, putting(changed, 1), putting(prod)), { won: 1, lost: ["INPUT_INVALID"] });
});

test("a crowd that puts and deletes leaves no reference to nothing", async () => {
  const fleet = await newFleet();
  const names = ["a", "b", "c"];
  const work = Array.from({ length: 60 }, (_, i) => {
    const name = names[i % 3] ?? "";
    if (i % 4 === 0) return fleet.put(module(name));
    if (i % 4 === 1) return fleet.put(template(`t${i % 5}`, { modules: [name] }));
    if (i % 4 === 2) return fleet.remove(module(name));
    return fleet.remove(template(`t${i % 5}`));
  });
  const known = ["ALREADY_EXISTS", "VERSION_CONFLICT", "REFERENCE_MISSING", "IN_USE", "NOT_FOUND"];
  const { lost } = await race(work);
  assert.deepEqual(
    lost.filter((code) => !known.includes(code)),
    [],
  );
  const { items } = await fleet.read((f) => f.list({}, { limit: 200 }));
  const live = new Set(items.map(refText));
  const stated = items.flatMap(({ kind, name, spec }) =>
    kind === "Template" ? (spec.modules as string[]).map((m) => `Template/${name} Module/${m}`) : [],
  );
  assert.deepEqual(await fleet.references(), stated.sort());
  for (const reference of stated) assert.ok(live.has(reference.split(" ")[1] ?? ""), reference);
});

// lists

test("pages by kind, then name, show every object once, also while others come in between", async () => {
  const fleet = await newFleet();
  const names = ["web", "a", "b-2", "b", "b1", "z", "web-1"];
  for (const name of names) {
    await fleet.put(template(name));
    await fleet.put(provider(name));
  }
  const before = names.flatMap((name) => [`Template/${name}`, `ProviderConfig/${name}`]);
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let pages = 0; ; pages++) {
    const { items, next } = await fleet.read((f) => f.list({}, { limit: 3, cursor }));
    assert.ok(items.length === 3 || next === undefined);
    seen.push(...items.map(refText));
    // one that sorts before the cursor, and one after it
    await fleet.put(module(`m${pages}`));
    await fleet.put(template(`zz${pages}`));
    if (next === undefined || pages > 20) break;
    cursor = next;
  }
  assert.equal(new Set(seen).size, seen.length, "none twice");
  assert.deepEqual(
    before.filter((ref) => !seen.includes(ref)),
    [],
    "none left out",
  );
  const kinds = seen.map((ref) => ref.split("/")[0] ?? "");
  assert.deepEqual(
    kinds.toSorted((a, b) => a.localeCompare(b, "en")),
    kinds,
  );
  const whole = await fleet.read((f) => f.list({}, { limit: 200 }));
  assert.deepEqual(
    seen,
    whole.items.map(refText).filter((ref) => seen.includes(ref)),
    "one order for all",
  );
});

test("a last page that is full has no next", async () => {
  const fleet = await newFleet();
  for (const name of ["a", "b"]) await fleet.put(provider(name));
  const { items, next } = await fleet.read((f) => f.list({}, { limit: 2 }));
  assert.deepEqual([items.length, next], [2, undefined]);
});

test("filters: kind, all of the labels, owner", async () => {
  const fleet = await newFleet();
  await fleet.put(labelled(template("a"), { env: "prod", team: "x" }));
  await fleet.put(labelled(template("b"), { env: "prod" }));
  await fleet.put(labelled(provider("a"), { env: "prod", team: "y" }));
  await fleet.change((tx) => tx.fleet.insert([{ ...provider("owned"), owner: "git/fleet", updatedBy: BY }]));
  const list = async (filter: Parameters<FleetReader["list"]>[0]) =>
    (await fleet.read((f) => f.list(filter, { limit: 50 }))).items.map(refText);
  assert.deepEqual(await list({ kind: "Template" }), ["Template/a", "Template/b"]);
  assert.deepEqual(await list({ labels: { env: "prod" } }), ["ProviderConfig/a", "Template/a", "Template/b"]);
  assert.deepEqual(await list({ labels: { env: "prod", team: "x" } }), ["Template/a"]);
  assert.deepEqual(await list({ kind: "ProviderConfig", labels: { team: "x" } }), []);
  assert.deepEqual(await list({ owner: "git/fleet" }), ["ProviderConfig/owned"]);
  assert.equal((await list({ labels: {} })).length, 4);
});

test("what is no cursor of this list is refused", async () => {
  const fleet = await newFleet();
  const cursorOf = (key: unknown) => Buffer.from(JSON.stringify(key)).toString("base64url");
  const list = (cursor: string) => fleet.read((f) => f.list({}, { limit: 1, cursor }));
  const wrong = [
    "",
    "x",
    "AAAA",
    cursorOf([]),
    cursorOf(["Template"]),
    cursorOf(["Template", 1]),
    cursorOf(["a", "b", "c"]),
  ];
  for (const cursor of [
    ...wrong,
    cursorOf({ 0: "a", 1: "b", length: 2 }),
    cursorOf(["Template", "a\0b"]),
    cursorOf(null),
  ])
    await assert.rejects(list(cursor), { code: "CURSOR_INVALID", path: "cursor" }, cursor);
  assert.deepEqual(await list(cursorOf(["Template", "a"])), { items: [] });
});

test("an account sees and changes its own fleet alone", async () => {
  const one = await newFleet();
  const two = await newFleet();
  await one.put(module("a"));
  assert.deepEqual((await two.read((f) => f.list({}, { limit: 50 }))).items, []);
  await assert.rejects(two.put(template("web", { modules: ["a"] })), { code: "REFERENCE_MISSING" });
  await two.put(module("a"));
  await two.remove(module("a"));
  assert.ok(await one.get(module("a")));
  const touch = (session: Session) => session.query("update fleet_object set version = 9");
  assert.equal((await db.database.transact(two.accountId, touch)).rowCount, 0);
});
