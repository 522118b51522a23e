import assert from "node:assert/strict";
import { test } from "node:test";
import type { CredentialReader } from "../credentials/credential-store.ts";
import { aRecord } from "../credentials/records.fixture.ts";
import type { AccountKeys } from "./account-keys.ts";
import { checkBatch } from "./check-batch.ts";

const noKeys = { decryptBatch: () => assert.fail("nothing here has a secret") } as unknown as AccountKeys;
const empty = aRecord({ version: 1, materialVersion: 0, wrappedKey: undefined, sealed: undefined });
const known = { record: empty, latest: { version: 1, digest: empty.digest.toString("hex") } };

/** So many pages of receipts behind the rows, each with one credential that has no row any more. */
function account(pages: number) {
  const asked: (string | undefined)[] = [];
  const reader: Pick<CredentialReader, "batch" | "lost"> = {
    batch: async (after) => (after === undefined ? [known] : []),
    lost: async ({ cursor }) => {
      asked.push(cursor);
      const page = Number(cursor ?? 0);
      return { items: [{ id: `lost-${page}`, version: 1 }], ...(page + 1 < pages && { next: String(page + 1) }) };
    },
  };
  return { reader: reader as CredentialReader, asked };
}

test("one that waits for its secret is neither decrypted nor failed", async () => {
  const { checked, opened, waiting, findings } = await checkBatch(account(1).reader, { size: 1 }, noKeys);
  assert.deepEqual([checked, opened, waiting, findings], [1, 0, 1, []]);
});

test("receipts are looked through only behind the last row, a few pages at a time, on from where it was", async () => {
  const { reader, asked } = account(45);
  const full = await checkBatch(reader, { size: 1 }, noKeys);
  assert.deepEqual([full.finished, full.lostAfter, asked.length], [false, null, 0], "there may be more rows");
  let batch = await checkBatch(reader, { size: 2, after: empty.id }, noKeys);
  const found = [...batch.findings];
  let batches = 1;
  for (; !batch.finished; batches++) {
    assert.ok(batch.lostAfter);
    batch = await checkBatch(reader, { size: 2, after: empty.id, lostAfter: batch.lostAfter }, noKeys);
    assert.equal(batch.checked, 0, "rows are not looked at again");
    found.push(...batch.findings);
  }
  assert.deepEqual(
    found.map(({ id }) => id),
    Array.from({ length: 45 }, (_, page) => `lost-${page}`),
  );
  assert.deepEqual([batches, asked.length, batch.lostAfter], [3, 45, null]);
});
