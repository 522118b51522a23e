/** Decisions that are signed with OpenPGP keys: what holds, what does not, and until when. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { buildDecision } from "../../contracts/approval/decision.ts";
import { type Envelope, envelopeOf, IN_TOTO_PAYLOAD_TYPE, pae } from "../../contracts/formats/dsse.ts";
import { readCertificate } from "../../contracts/formats/openpgp/certificate.ts";
import { openpgp } from "../../contracts/formats/openpgp/library.ts";
import { type ScratchOpenPgpKey, scratchOpenPgpKey } from "../../scripts/generators/examples/scratch-openpgp-key.ts";
import { APPROVE, approvalFixture, type TestPerson, TWO_PERSON } from "./approval-fixture.ts";

const DAY_MS = 86_400_000;
/** Before the first request of these tests. */
const BORN = new Date(Date.now() - DAY_MS);

let key: ScratchOpenPgpKey;
let others: ScratchOpenPgpKey;
before(async () => {
  key = await scratchOpenPgpKey("Ann", { date: BORN });
  others = await scratchOpenPgpKey("Bob", { date: BORN });
});

/** Ann has an OpenPGP key beside her own, and so has Bob; Owner's agent asks. */
async function team(demand = APPROVE) {
  const f = await approvalFixture();
  const [owner, ann, bob] = [await f.addPerson("Owner"), await f.addPerson("Ann"), await f.addPerson("Bob")];
  const enrol = async ({ personId }: TestPerson, made: ScratchOpenPgpKey): Promise<string> => {
    const { keyId, bytes } = await readCertificate(made.certificate);
    await f.sql(
      "insert into person_key (account_id, key_id, person_id, algorithm, public_key) values ($1, $2, $3, 'openpgp', $4)",
      [f.accountId, keyId, personId, bytes],
    );
    return keyId;
  };
  const keyId = await enrol(ann, key);
  const bobsKeyId = await enrol(bob, others);
  const agent = await f.addPrincipal("agent", owner.personId, ["agent"]);
  const { requestId } = await f.open(agent, { demand });
  /** What Ann's gpg makes. */
  const sign = async (change: { by?: ScratchOpenPgpKey; as?: string; bytes?: Buffer; about?: string } = {}) => {
    const { about = requestId } = change;
    const { statementDigest, previewDigest } = await f.request(about);
    const payload = buildDecision(about, {
      ...{ decision: "approve", personId: ann.personId, decidedAt: f.clock.now.toISOString() },
      ...{ previewDigest, requestDigest: statementDigest },
    });
    const signature = await (change.by ?? key).sign(change.bytes ?? pae(IN_TOTO_PAYLOAD_TYPE, payload));
    return envelopeOf(payload, signature, change.as ?? keyId);
  };
  const decide = async (envelope: Envelope | Promise<Envelope>, about = requestId) =>
    f.decideAs(ann.principalId, { requestId: about, envelope: await envelope });
  const recheck = async () => {
    const held = await f.approvals.take(f.accountId, requestId);
    assert.ok(held);
    await f.approvals.recheck(held, await f.callerOf(agent));
  };
  const close = () => f[Symbol.asyncDispose]();
  return { f, ann, bob, agent, keyId, bobsKeyId, requestId, sign, decide, recheck, [Symbol.asyncDispose]: close };
}

test("an approval by an OpenPGP key counts as its person's, and is checked again when it is carried out", async () => {
  await using t = await team();
  const taken = await t.decide(t.sign());
  assert.deepEqual([taken.state, taken.assurance, taken.counts], ["approved", "signed", true]);
  const [decision] = await t.f.store.read(t.f.accountId, (read) => read.approvals.decisions(t.requestId));
  assert.equal(decision?.keyId, t.keyId);
  await t.recheck();
});

test("one person counts once, by whichever keys", async () => {
  await using t = await team(TWO_PERSON);
  assert.equal((await t.decide(t.sign())).state, "open");
  await assert.rejects(t.f.decide(t.ann, t.requestId), { code: "APPROVAL_DECIDED" });
  assert.equal((await t.f.decide(t.bob, t.requestId)).state, "approved");
});

const refusals: Record<string, (t: Awaited<ReturnType<typeof team>>) => Promise<Envelope>> = {
  "of another person's key": (t) => t.sign({ by: others, as: t.bobsKeyId }),
  "of another person's key, under this one's name": (t) => t.sign({ by: others }),
  "of a key that is not enrolled": (t) => t.sign({ as: `openpgp:${"0".repeat(40)}` }),
  "over other bytes": (t) => t.sign({ bytes: Buffer.from("approve") }),
  "over the statement without what goes before it": async (t) => {
    const { payload } = await t.sign();
    return t.sign({ bytes: Buffer.from(payload, "base64") });
  },
  "in armour": async (t) => {
    const { armor, enums } = await openpgp();
    const { payload, signatures } = await t.sign();
    const text = armor(enums.armor.signature, Uint8Array.from(Buffer.from(signatures[0].sig, "base64")));
    return envelopeOf(Buffer.from(payload, "base64"), Buffer.from(text), t.keyId);
  },
  "of a key that was revoked here": async (t) => {
    await t.f.sql("update person_key set revoked_at = now() where key_id = $1", [t.keyId]);
    return t.sign();
  },
  "of a key that has expired": async (t) => {
    await t.f.sql("update person_key set expires_at = $2 where key_id = $1", [t.keyId, t.f.clock.now]);
    return t.sign();
  },
  "of a key whose certificate was exchanged for another": async (t) => {
    const { bytes } = await readCertificate(others.certificate);
    await t.f.sql("update person_key set public_key = $2 where key_id = $1", [t.keyId, bytes]);
    return t.sign({ by: others });
  },
};
for (const [what, envelope] of Object.entries(refusals)) {
  test(`a signature ${what} is refused, and the request stays open`, async () => {
    await using t = await team();
    await assert.rejects(t.decide(envelope(t)), { code: "DECISION_INVALID" });
    assert.equal((await t.f.request(t.requestId)).state, "open");
  });
}

test("a signature that is older than what it is about is refused", async () => {
  await using t = await team();
  t.f.later(20 * 60_000);
  const { requestId } = await t.f.open(t.agent, { input: "{}" });
  await assert.rejects(t.decide(t.sign({ about: requestId }), requestId), { code: "DECISION_INVALID" });
  await t.decide(t.sign());
});

for (const [what, spoil] of Object.entries({
  "was revoked": "update person_key set revoked_at = now() where key_id = $1",
  "has expired": "update person_key set expires_at = now() - interval '1 second' where key_id = $1",
})) {
  test(`an approval whose key ${what} since is stale`, async () => {
    await using t = await team();
    await t.decide(t.sign());
    await t.f.sql(spoil, [t.keyId]);
    await assert.rejects(t.recheck(), { code: "APPROVAL_STALE" });
  });
}

test("people whose only key has expired are no approvers", async () => {
  await using t = await team();
  await t.f.sql("update person_key set expires_at = now() - interval '1 second' where algorithm = 'openpgp'");
  await t.f.sql("update person_key set revoked_at = now() where algorithm = 'ed25519'");
  const people = await t.f.store.read(t.f.accountId, (read) => read.approvals.candidates());
  assert.deepEqual(people, []);
});
