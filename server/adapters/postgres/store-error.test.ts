import assert from "node:assert/strict";
import { describe, it } from "node:test";
import pg from "pg";
import { HubError } from "../../errors.ts";
import { storeError } from "./store-error.ts";

function databaseError(code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError("what it said", 0, "error"), { code });
}

describe("storeError", () => {
  const named = [
    ["57P01", "STORE_UNAVAILABLE"],
    ["08006", "STORE_UNAVAILABLE"],
    ["53300", "STORE_UNAVAILABLE"],
    ["58030", "STORE_UNAVAILABLE"],
    ["57014", "TIMEOUT"],
    ["40P01", "CONFLICT"],
    ["40001", "CONFLICT"],
  ] as const;
  for (const [sqlState, code] of named) {
    it(`calls ${sqlState} ${code} and keeps what was said as the cause`, () => {
      const said = databaseError(sqlState);
      const error = storeError(said);
      assert.ok(error instanceof HubError);
      assert.deepEqual([error.code, error.cause], [code, said]);
      assert.ok(!error.message.includes(said.message));
    });
  }

  it("leaves constraints and faults of a statement as they are", () => {
    for (const sqlState of ["23505", "23503", "42501", "42601", "22001", "CS001"]) {
      const said = databaseError(sqlState);
      assert.equal(storeError(said), said);
    }
    const fault = new TypeError("Converting circular structure to JSON");
    assert.equal(storeError(fault), fault);
  });

  it("takes whatever else the driver throws for a lost connection", () => {
    for (const message of ["connect ECONNREFUSED", "Connection terminated unexpectedly", "timeout exceeded"]) {
      const error = storeError(new Error(message));
      assert.ok(error instanceof HubError);
      assert.equal(error.code, "STORE_UNAVAILABLE");
    }
  });
});
