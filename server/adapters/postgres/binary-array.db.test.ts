import assert from "node:assert/strict";
import { test } from "node:test";
import { v7 } from "uuid";
import { BOOL, BYTEA, binaryArray, INT4, INT8, TEXT, TIMESTAMPTZ, UUID } from "./binary-array.ts";
import { testDatabase } from "./test-database.ts";

test("PostgreSQL reads the arrays as what was written", async () => {
  await using db = await testDatabase();
  const reread = async (type: string, array: Buffer) => {
    const text = `select coalesce(array_to_json($1::${type}[]), '[]') as read`;
    return (await db.database.query<{ read: unknown[] }>(text, [array])).rows[0]?.read;
  };
  const ids = [v7(), undefined, v7()];
  assert.deepEqual(await reread("uuid", binaryArray(UUID, ids)), [ids[0], null, ids[2]]);
  const texts = ["", 'a\u{1f600}"\\{}', "NULL", undefined];
  assert.deepEqual(await reread("text", binaryArray(TEXT, texts)), ["", 'a\u{1f600}"\\{}', "NULL", null]);
  const numbers = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER];
  assert.deepEqual(await reread("int8", binaryArray(INT8, numbers)), numbers);
  assert.deepEqual(await reread("int4", binaryArray(INT4, [0, 8, 2 ** 31 - 1])), [0, 8, 2 ** 31 - 1]);
  assert.deepEqual(await reread("bool", binaryArray(BOOL, [true, false, undefined])), [true, false, null]);
  const bytes = [Buffer.from([0, 255, 7]), Buffer.alloc(0)];
  assert.deepEqual(await reread("bytea", binaryArray(BYTEA, bytes)), ["\\x00ff07", "\\x"]);
  const times = ["2000-01-01T00:00:00.000Z", "2026-11-21T02:03:04.567Z", "2199-12-31T23:59:59.999Z"];
  const read = (await reread(
    "timestamptz",
    binaryArray(
      TIMESTAMPTZ,
      times.map((time) => new Date(time)),
    ),
  )) as string[];
  assert.deepEqual(
    read.map((time) => new Date(time).toISOString()),
    times,
  );
  assert.deepEqual(await reread("text", binaryArray(TEXT, [])), []);
});
