/**
 * Whatever is done to an account's key, in whatever order, by how many processes, and wherever they are cut off: what was
 * stored opens. The database, the key service and the steps of the walk are the real ones; each step is taken in its two
 * halves (reaching out, recording), and anything may happen in between, or the second half never.
 */
import assert from "node:assert/strict";
import { generateKeySync, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import fc from "fast-check";
import { v7 } from "uuid";
import { EmbeddedKeyService } from "../../adapters/embedded-keys/embedded-key-service.ts";
import { FakeKeyStore } from "../../adapters/embedded-keys/fake-key-store.ts";
import type { Session } from "../../adapters/postgres/database.ts";
import { eventStore } from "../../adapters/postgres/event-store.ts";
import { rotationReader } from "../../adapters/postgres/rotation-reader.ts";
import { rotationStore } from "../../adapters/postgres/rotation-store.ts";
import { testDatabase } from "../../adapters/postgres/test-database.ts";
import { openMaterial, sealMaterial } from "../credentials/credential-record.ts";
import type { Look } from "./account-walk.ts";
import { raiseFloor, recordFloor, recordTrim, trimKey } from "./raise-floor.ts";
import { recordBatch, rewrapPage } from "./rewrap-batch.ts";
import { latestVersion, recordRotation, recordVersion, rotateOnce } from "./rotate-account-key.ts";

const RUNS = 60;
const MOST_STEPS = 40;

const db = await testDatabase();
after(() => db[Symbol.asyncDispose]());

/** Refusals that are part of the game: somebody was faster, or it is too early or too late. */
const REFUSED = ["CONFLICT", "CANCELLED", "NOT_FOUND", "KEY_VERSION_IN_USE", "KEY_VERSION_TOO_OLD"];

type Kind = "record" | "rotate" | "batch" | "encryption" | "decryption" | "trim";
/** When the second half of a step comes. */
type Half = "now" | "later" | "never";

type Step =
  | { readonly do: "store"; readonly node: number; readonly late: boolean }
  | { readonly do: "commit" }
  | { readonly do: "replace"; readonly node: number }
  | { readonly do: "finish" }
  | { readonly do: "begin" }
  | { readonly do: "takeOver" }
  | { readonly do: "time" }
  | {
      readonly do: "walk";
      readonly kind: Kind | "next";
      readonly node: number;
      readonly stale: boolean;
      readonly half: Half;
    };

const node = fc.integer({ min: 0, max: 1 });
const kind = fc.oneof(
  // mostly what a walk would do next, so that it comes somewhere
  { weight: 8, arbitrary: fc.constant("next" as const) },
  { weight: 6, arbitrary: fc.constantFrom<Kind>("record", "rotate", "batch", "encryption", "decryption", "trim") },
);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("store" as const), node, late: fc.boolean() }) },
  fc.record({ do: fc.constant("commit" as const) }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant("replace" as const), node }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("finish" as const) }) },
  fc.record({ do: fc.constant("begin" as const) }),
  fc.record({ do: fc.constant("takeOver" as const) }),
  fc.record({ do: fc.constant("time" as const) }),
  {
    weight: 14,
    arbitrary: fc.record({
      ...{ do: fc.constant("walk" as const), kind, node },
      stale: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
      half: fc.constantFrom<Half>("now", "now", "now", "later", "later", "never"),
    }),
  },
);

/** One account, two processes that keep keys in memory for a while, and what was stored. */
class Account {
  readonly id = v7();
  readonly #principal = v7();
  readonly #store = new FakeKeyStore();
  readonly #rootKey = generateKeySync("aes", { length: 256 });
  #now = 0;
  readonly nodes = [0, 1].map(() => new EmbeddedKeyService(this.#rootKey, this.#store, () => this.#now));
  readonly #secrets = new Map<string, string>();
  /** Wrapped, and on their way to the database. */
  readonly #underWay: { readonly id: string; readonly secret: string; readonly row: unknown[] }[] = [];
  /** Steps that reached out and did not record yet. */
  readonly #halves: (() => Promise<unknown>)[] = [];
  #rotationId = v7();
  #fence = 1;
  readonly done = { moved: 0, floors: 0, trims: 0 };

  async open(): Promise<void> {
    await this.nodes[0]?.create(this.id, "data");
    await this.#transact(async (session) => {
      await session.query("insert into account (id, name, profile) values ($1, 'a', 'solo')", [this.id]);
      await session.query(
        "insert into principal (account_id, id, kind, name, roles) values ($1, $2, 'service', 'hub', '{hub}')",
        [this.id, this.#principal],
      );
    });
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "store":
        return this.#storeOne(step.node, step.late);
      case "commit": {
        const next = this.#underWay.shift();
        return next && this.#insert(next);
      }
      case "replace":
        return this.#replace(step.node);
      case "finish":
        await this.#halves.shift()?.();
        return;
      case "begin":
        this.#rotationId = v7();
        this.#fence = 1;
        return;
      case "takeOver":
        this.#fence++;
        return;
      case "time":
        this.#now += 1_500;
        return;
      case "walk":
        return this.#walk(step);
    }
  }

  /** Where everybody but the walk has come to rest. */
  async settle(): Promise<void> {
    for (let next = this.#underWay.shift(); next; next = this.#underWay.shift())
      await this.#insert(next).catch(refused);
    for (let half = this.#halves.shift(); half; half = this.#halves.shift()) await half().catch(refused);
    this.#now += 1_500;
    this.#fence++;
    for (const kind of ["record", "rotate"] as const) await this.#walk({ kind, node: 0, stale: false, half: "now" });
    for (let batches = 0; batches < 50 && (await this.#below()) > 0; batches++)
      await this.#walk({ kind: "batch", node: 0, stale: false, half: "now" });
    assert.equal(await this.#below(), 0, "the walk carries everything over in the end");
    for (const kind of ["encryption", "decryption", "trim"] as const)
      await this.#walk({ kind, node: 0, stale: false, half: "now" });
  }

  async #below(): Promise<number> {
    return db.database.read(this.id, async (session) => {
      const { toVersion } = (await rotationReader(session).walk(this.#rotationId)) ?? {};
      return toVersion === undefined ? 0 : rotationReader(session).countBelow(toVersion);
    });
  }

  async allReadable(): Promise<void> {
    const { rows } = await db.database.read(this.id, (session) =>
      session.query<{ id: string; sealed: Buffer; material_version: number; wrapped_key: string }>(
        "select id, sealed, material_version, wrapped_key from credential",
      ),
    );
    assert.deepEqual(new Set(rows.map(({ id }) => id)), new Set(this.#secrets.keys()), "none is lost");
    const keys = new EmbeddedKeyService(this.#rootKey, this.#store);
    for (const { id, sealed, material_version: materialVersion, wrapped_key: wrapped } of rows) {
      const dataKey = await keys.decrypt(this.id, "data", wrapped);
      const opened = openMaterial({ accountId: this.id, id, materialVersion, sealed }, dataKey);
      assert.equal(opened.toString(), this.#secrets.get(id));
    }
  }

  async #storeOne(at: number, late: boolean): Promise<void> {
    const made = await this.#wrapped(v7(), at, 1);
    if (late) this.#underWay.push(made);
    else await this.#insert(made);
  }

  async #wrapped(id: string, at: number, materialVersion: number) {
    const secret = randomBytes(8).toString("hex");
    const { plaintext, ciphertext } = await this.#node(at).dataKey(this.id, "data");
    const sealed = sealMaterial({ accountId: this.id, id, materialVersion }, Buffer.from(secret), plaintext);
    return { id, secret, row: [this.id, id, this.#principal, ciphertext, sealed] };
  }

  async #insert({ id, secret, row }: { id: string; secret: string; row: unknown[] }): Promise<void> {
    await this.#transact((session) =>
      session.query(
        `insert into credential (account_id, id, name, kind, description, owner_id, allowed_hosts, consumers, version,
           material_version, wrapped_key, sealed, digest, provided_at, created_by, created_at, updated_at)
         values ($1, $2, $2::uuid::text, 'bearer-token', '', $3, '{h}', '{c}', 1, 1, $4, $5, sha256(''), now(), $3, now(), now())`,
        row,
      ),
    );
    this.#secrets.set(id, secret);
  }

  /** A new secret in place of an old one. */
  async #replace(at: number): Promise<void> {
    const [id] = this.#secrets.keys();
    if (id === undefined) return;
    const { secret, row } = await this.#wrapped(id, at, 2);
    await this.#transact((session) =>
      session.query("update credential set wrapped_key = $2, sealed = $3, material_version = 2 where id = $1", [
        ...[id, row[3], row[4]],
      ]),
    );
    this.#secrets.set(id, secret);
  }

  /** A step of a walk. A stale walker was taken over by another; one that is cut off reaches out, and never records. */
  async #walk({ kind, node: at, stale, half: when }: Omit<Extract<Step, { do: "walk" }>, "do">): Promise<void> {
    if (kind === "next") return this.#walk({ kind: await this.#next(), node: at, stale, half: when });
    const rotationId = this.#rotationId;
    const input = { rotationId, fence: stale ? Math.max(1, this.#fence - 1) : this.#fence, size: 2 };
    const look: Look = (fn) => db.database.read(this.id, (session) => fn(rotationReader(session)));
    const reaching = { look, keys: this.#node(at), accountId: this.id };
    const record = async (fn: (tx: Tx) => Promise<unknown>): Promise<void> => {
      if (when === "never") return;
      const half = () =>
        this.#transact((session) => fn({ rotation: rotationStore(session), events: eventStore(session) }));
      if (when === "later") this.#halves.push(half);
      else await half();
    };
    const now = new Date();
    if (kind === "record") {
      const version = await latestVersion(input, reaching);
      await record((tx) => recordVersion(tx, input, version, now));
    } else if (kind === "rotate") {
      const version = await rotateOnce(input, reaching);
      await record((tx) => recordRotation(tx, input, version, now));
    } else if (kind === "batch") {
      const page = await rewrapPage(input, reaching);
      await record(async (tx) => {
        this.done.moved += (await recordBatch(tx, input, page, { callId: v7(), at: now })).moved.length;
      });
    } else if (kind === "trim") {
      const oldest = await trimKey(rotationId, reaching);
      await record((tx) => recordTrim(tx, rotationId, oldest, now));
      this.done.trims++;
    } else {
      const version = await raiseFloor({ rotationId, floor: kind }, reaching);
      await record((tx) => recordFloor(tx, { rotationId, floor: kind }, version, now));
      this.done.floors++;
    }
  }

  async #next(): Promise<Kind> {
    const walk = await db.database.read(this.id, (session) => rotationReader(session).walk(this.#rotationId));
    if (!walk) return "record";
    if (walk.state === "recorded") return "rotate";
    if ((await this.#below()) > 0) return "batch";
    if (!walk.encryptionFloorAt) return "encryption";
    return walk.decryptionFloorAt ? "trim" : "decryption";
  }

  #node(at: number): EmbeddedKeyService {
    const found = this.nodes[at];
    assert.ok(found);
    return found;
  }

  #transact<T>(fn: (session: Session) => Promise<T>): Promise<T> {
    return db.database.transact(this.id, fn);
  }
}

type Tx = { rotation: ReturnType<typeof rotationStore>; events: ReturnType<typeof eventStore> };

function refused(error: unknown): void {
  const { code } = error as { code?: string };
  if (!REFUSED.includes(code ?? "")) throw error;
}

test("any interleaving of storing, rotating, walking, cutting off, taking over, finalising and trimming keeps all readable", async () => {
  const done = { moved: 0, floors: 0, trims: 0 };
  const runs = fc.asyncProperty(
    fc.array(anyStep, { minLength: 10, maxLength: MOST_STEPS, size: "max" }),
    async (steps) => {
      const account = new Account();
      await account.open();
      for (const step of steps) {
        await account.take(step).catch(refused);
        await account.allReadable();
      }
      await account.settle();
      await account.allReadable();
      for (const what of ["moved", "floors", "trims"] as const) done[what] += account.done[what];
    },
  );
  await fc.assert(runs, { numRuns: RUNS });
  assert.ok(done.moved > RUNS && done.floors > RUNS && done.trims > RUNS / 2, JSON.stringify(done));
});
