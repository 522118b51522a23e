import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compareHistory, type Migration, readMigrations } from "./migration-history.ts";

const known: Migration[] = ["1_a", "2_b", "3_c"].map((name) => ({ name, script: "", checksum: `sum of ${name}` }));
const row = (name: string, more = {}) => ({
  migration_name: name,
  checksum: `sum of ${name}`,
  finished: true,
  ...more,
});

describe("compareHistory", () => {
  it("names what is missing, in order, gaps included", () => {
    assert.deepEqual(compareHistory([], known), ["1_a", "2_b", "3_c"]);
    assert.deepEqual(compareHistory([row("1_a"), row("3_c")], known), ["2_b"]);
    assert.deepEqual(compareHistory([row("1_a"), row("2_b"), row("3_c")], known), []);
  });

  const refused = [
    ["MIGRATION_FAILED", [row("1_a"), row("2_b", { finished: false })]],
    ["MIGRATION_EDITED", [row("1_a", { checksum: "another" }), row("2_b"), row("3_c")]],
    ["DATABASE_NEWER", [row("1_a"), row("2_b"), row("3_c"), row("4_d")]],
    ["DATABASE_DIVERGED", [row("1_a"), row("2_b"), row("3_x")]],
    // what cannot be judged is said before what could wait
    ["MIGRATION_FAILED", [row("1_a", { checksum: "another" }), row("4_d", { finished: false })]],
    ["MIGRATION_EDITED", [row("1_a", { checksum: "another" }), row("4_d")]],
  ] as const;
  for (const [code, applied] of refused) {
    it(`refuses ${applied.map((entry) => entry.migration_name).join(", ")} as ${code}`, () => {
      assert.throws(() => compareHistory(applied, known), { code });
    });
  }
});

describe("readMigrations", () => {
  it("finds this program's, each saying why, in the order of time", () => {
    const migrations = readMigrations();
    const names = migrations.map(({ name }) => name);
    assert.ok(names.length > 0);
    assert.deepEqual(names, names.toSorted());
    for (const { name, script, checksum } of migrations) {
      assert.match(name, /^\d{14}_[a-z][a-z0-9_]*$/);
      assert.match(script, /^-- Why: \S/, name);
      assert.match(checksum, /^[0-9a-f]{64}$/);
      // a script is one transaction: what ends it early could not be undone
      assert.doesNotMatch(script, /^\s*(?:begin|commit|rollback)\s*;/im, name);
    }
  });
});
