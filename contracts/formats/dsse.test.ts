import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  assembleEnvelope,
  claimedKeyId,
  type Envelope,
  IN_TOTO_PAYLOAD_TYPE,
  pae,
  signEnvelope,
  verifyEnvelope,
} from "./dsse.ts";
import { generateKeyPair, keyId, sign } from "./ed25519.ts";

const key = generateKeyPair();
const other = generateKeyPair();
const payload = Buffer.from('{"a":"é"}');

function altered(change: (envelope: Envelope) => unknown): unknown {
  const envelope = structuredClone(signEnvelope(payload, key));
  return change(envelope) ?? envelope;
}

test("the signed bytes are those of the DSSE specification", () => {
  assert.equal(
    pae("http://example.com/HelloWorld", Buffer.from("hello world")).toString(),
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
  // lengths count bytes
  assert.equal(pae("é", payload).toString(), 'DSSEv1 2 é 10 {"a":"é"}');
});

suite("envelopes", () => {
  test("give their payload back to who has the key", () => {
    const envelope = signEnvelope(payload, key);
    assert.equal(envelope.payloadType, IN_TOTO_PAYLOAD_TYPE);
    assert.equal(claimedKeyId(envelope), keyId(key.publicKey));
    assert.deepEqual(verifyEnvelope(JSON.parse(JSON.stringify(envelope)), key.publicKey), payload);
  });

  test("can be assembled around a signature made elsewhere", () => {
    const signature = sign(pae(IN_TOTO_PAYLOAD_TYPE, payload), key.privateKey);
    assert.deepEqual(assembleEnvelope(payload, signature, key.publicKey), signEnvelope(payload, key));
  });

  test("of another payload type verify as that type alone", () => {
    const envelope = signEnvelope(payload, key, "text/plain");
    assert.deepEqual(verifyEnvelope(envelope, key.publicKey, "text/plain"), payload);
    assert.throws(() => verifyEnvelope(envelope, key.publicKey), { code: "ENVELOPE_INVALID", path: "payloadType" });
    const relabelled = { ...envelope, payloadType: IN_TOTO_PAYLOAD_TYPE };
    assert.throws(() => verifyEnvelope(relabelled, key.publicKey), {
      code: "ENVELOPE_INVALID",
      path: "signatures[0].sig",
    });
  });

  const second = signEnvelope(payload, other).signatures[0];
  const cases: Record<string, { envelope: unknown; path: string }> = {
    "another payload": {
      envelope: altered((e) => ({ ...e, payload: Buffer.from('{"a":"e"}').toString("base64") })),
      path: "signatures[0].sig",
    },
    "a payload in other Base 64": {
      envelope: altered((e) => ({ ...e, payload: e.payload.replace(/=*$/, "\n") })),
      path: "payload",
    },
    "no signature": { envelope: altered((e) => ({ ...e, signatures: [] })), path: "signatures" },
    "two signatures": {
      envelope: altered((e) => ({ ...e, signatures: [...e.signatures, second] })),
      path: "signatures",
    },
    "the same signature twice": {
      envelope: altered((e) => ({ ...e, signatures: [...e.signatures, ...e.signatures] })),
      path: "signatures",
    },
    "another's signature": { envelope: signEnvelope(payload, other), path: "signatures[0].keyid" },
    "another's signature under this key's id": {
      envelope: altered((e) => ({ ...e, signatures: [{ ...second, keyid: e.signatures[0].keyid }] })),
      path: "signatures[0].sig",
    },
    "this signature under another's id": {
      envelope: altered((e) => ({ ...e, signatures: [{ ...e.signatures[0], keyid: second.keyid }] })),
      path: "signatures[0].keyid",
    },
    "a short signature": {
      envelope: altered((e) => ({ ...e, signatures: [{ ...e.signatures[0], sig: "AAAA" }] })),
      path: "signatures[0].sig",
    },
    "no key id": {
      envelope: altered((e) => ({ ...e, signatures: [{ sig: e.signatures[0].sig }] })),
      path: "signatures[0].keyid",
    },
    "an unknown field": { envelope: altered((e) => ({ ...e, note: 1 })), path: "" },
    "a text": { envelope: JSON.stringify(signEnvelope(payload, key)), path: "" },
    nothing: { envelope: undefined, path: "" },
  };
  for (const [name, { envelope, path }] of Object.entries(cases)) {
    test(`with ${name} are refused`, () => {
      assert.throws(() => verifyEnvelope(envelope, key.publicKey), { code: "ENVELOPE_INVALID", path });
    });
  }
});
