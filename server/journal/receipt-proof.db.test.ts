import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyReceiptProof } from "../../contracts/formats/receipt-proof.ts";
import { receiptStore } from "../adapters/postgres/receipt-store.ts";
import { callOf, ended, journalFixture, until } from "./journal-fixture.ts";

test("an approved change that names no intent proves nothing, however well it is signed; what needs none does", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const { approval: _, ...read } = callOf(account);
  const [approved, stale] = [callOf(account), callOf(account)];
  journal.note(read, ended("OK"));
  journal.note(stale, ended("APPROVAL_STALE"));
  journal.note(approved, ended("OK"));
  await until(() => journal.status().waiting === 0);
  await fixture.integrate();
  const prove = ({ callId }: { callId: string }) =>
    fixture.database.read(account, (session) => receiptStore(session).prove(`${callId}.outcome`));
  verifyReceiptProof(await prove(read));
  verifyReceiptProof(await prove(stale));
  const proof = await prove(approved);
  assert.throws(() => verifyReceiptProof(proof), { code: "PROOF_INVALID" });
  const { ok, firstBad } = await fixture.verify(account);
  assert.deepEqual([ok, firstBad?.receiptId], [false, `${approved.callId}.outcome`]);
});
