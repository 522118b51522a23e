import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { checkpointText, parseCheckpointText, signCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { generateKeyPair, sign } from "./ed25519.ts";
import { consistencyProof, inclusionProof, leafHash, root, verifyInclusion } from "./merkle.ts";
import {
  assembleNote,
  noteKeyId,
  parseNote,
  parseVerifierKey,
  signNote,
  verifierKey,
  verifyNote,
} from "./signed-note.ts";
import { buildTlogProof, parseTlogProof } from "./tlog-proof.ts";

const invalid = { code: "PROOF_INVALID" };

/** From the documentation of golang.org/x/mod/sumdb/note, where the format comes from. */
const goKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const goText = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const goLine =
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

const log = generateKeyPair();
const witness = generateKeyPair();
const named = (name: string, key = log) => ({ name, ...key });
const known = (name: string, key = log) => parseVerifierKey(verifierKey(name, key.publicKey));
const signatureOf = (text: string, name: string, key = log) => ({
  name,
  keyId: noteKeyId(name, key.publicKey),
  signature: sign(Buffer.from(text), key.privateKey),
});

suite("signed notes", () => {
  test("of another implementation verify", () => {
    const key = parseVerifierKey(goKey);
    assert.equal(verifierKey("PeterNeumann", key.publicKey), goKey);
    const note = verifyNote(`${goText}\n${goLine}`, [key]);
    assert.equal(note.text, goText);
    assert.deepEqual(
      note.signatures.map(({ name, keyId }) => [name, keyId]),
      [["PeterNeumann", "c74f20a3"]],
    );
    assert.throws(() => verifyNote(`${goText.replace("your", "our")}\n${goLine}`, [key]), invalid);
  });

  test("end their text at the last empty line", () => {
    const text = "one\n\ntwo\n\n\nthree\n";
    const note = signNote(text, named("log.example"));
    assert.equal(parseNote(note).text, text);
    assert.equal(verifyNote(note, [known("log.example")]).text, text);
  });

  test("ignore unknown signatures and refuse known bad ones", () => {
    const text = "text\n";
    const good = signatureOf(text, "log.example");
    const unknown = signatureOf(text, "witness.example", witness);
    const keys = [known("log.example")];
    const count = (signatures: (typeof good)[]) => verifyNote(assembleNote(text, signatures), keys).signatures.length;
    assert.equal(count([good]), 1);
    assert.equal(count([unknown, good]), 1);
    // the name or the id of a known key, not both: unknown, whatever the signature is
    assert.equal(count([good, { ...unknown, name: "log.example" }]), 1);
    assert.equal(count([good, { ...unknown, keyId: good.keyId }]), 1);
    assert.throws(() => count([unknown]), invalid);
    assert.throws(() => count([good, { ...good, signature: unknown.signature }]), invalid);
    assert.throws(() => count([{ ...good, signature: good.signature.subarray(1) }, good]), invalid);
    const both = verifyNote(assembleNote(text, [unknown, good]), [...keys, known("witness.example", witness)]);
    assert.deepEqual(
      both.signatures.map(({ name }) => name),
      ["witness.example", "log.example"],
    );
    assert.throws(() => verifyNote(assembleNote(text, [good]), []), invalid);
  });

  test("may have sixteen signatures and more, yet not any number", () => {
    const text = "text\n";
    const many = (count: number) =>
      assembleNote(
        text,
        Array.from({ length: count }, () => signatureOf(text, "log.example")),
      );
    assert.equal(verifyNote(many(16), [known("log.example")]).signatures.length, 16);
    assert.throws(() => parseNote(many(101)), invalid);
  });

  const note = signNote("text\n", named("log.example"));
  const line = note.slice("text\n\n".length);
  const malformed: Record<string, string> = {
    "no signature": "text\n\n",
    "no empty line": `text\n${line}`,
    "no last newline": note.slice(0, -1),
    "a hyphen for the dash": note.replace("—", "-"),
    "two spaces": note.replace("— ", "—  "),
    "no name": note.replace("log.example ", ""),
    "a plus in the name": note.replace("log.example", "log+example"),
    "a wide space in the name": note.replace("log.example", "log\u2003example"),
    "a tab in the text": note.replace("text", "te\txt"),
    "a carriage return": note.replaceAll("\n", "\r\n"),
    "half a surrogate pair": note.replace("text", "te\ud800xt"),
    "Base 64 without its padding": note.replace(/=+\n$/, "\n"),
    "a signature of no bytes": `text\n\n— log.example ${Buffer.from("abcd").toString("base64")}\n`,
    "something after the signature": `${note}more\n`,
    "a line too long": signNote(`${"x".repeat(1_000_000)}\n`, named("log.example")),
  };
  for (const [name, text] of Object.entries(malformed)) {
    test(`with ${name} are refused`, () => {
      assert.throws(() => parseNote(text), invalid);
      assert.equal(parseNote(note).signatures.length, 1);
    });
  }

  test("are not made of texts and names that cannot be read back", () => {
    for (const text of ["", "text", "te\u0000xt\n", "te\ud800xt\n"]) {
      assert.throws(() => signNote(text, named("log.example")), invalid);
    }
    for (const name of ["", "log example", "log+example", "log\nexample"]) {
      assert.throws(() => signNote("text\n", named(name)), invalid);
      assert.throws(() => verifierKey(name, log.publicKey), invalid);
    }
  });

  test("are verified with keys whose id is their own", () => {
    const key = verifierKey("log.example", log.publicKey);
    const [name, id, base64] = [key.slice(0, 11), key.slice(12, 20), key.slice(21)];
    assert.deepEqual(parseVerifierKey(`${name}+${id}+${base64}`), { name, id, publicKey: log.publicKey });
    const asWitnessType = Buffer.from(base64, "base64").fill(4, 0, 1).toString("base64");
    for (const text of [
      `other.example+${id}+${base64}`,
      `${name}+00000000+${base64}`,
      `${name}+${id}+${asWitnessType}`,
      `${name}+${id}`,
      name,
      "",
      `+${id}+${base64}`,
      `${key}AAAA`,
      `${name}+${id}+AQ==`,
    ]) {
      assert.throws(() => parseVerifierKey(text), invalid);
    }
  });
});

suite("checkpoints", () => {
  const treeRoot = root([Buffer.from("a"), Buffer.from("b")]);
  const checkpoint = { origin: "log.example/1", size: 2, root: treeRoot };

  test("are three lines that the log signs under its origin", () => {
    const text = `log.example/1\n2\n${treeRoot.toString("base64")}\n`;
    assert.equal(checkpointText(checkpoint), text);
    assert.deepEqual(parseCheckpointText(text), checkpoint);
    const note = signCheckpoint(checkpoint, log);
    assert.ok(note.startsWith(`${text}\n— log.example/1 `));
    assert.deepEqual(verifyCheckpoint(note, known("log.example/1")), checkpoint);
  });

  test("carry extension lines where there are any", () => {
    const extended = { ...checkpoint, extensions: ["epoch 7", "time 1"] };
    assert.deepEqual(verifyCheckpoint(signCheckpoint(extended, log), known("log.example/1")), extended);
  });

  test("may be cosigned by witnesses whom the verifier does not know", () => {
    const text = checkpointText(checkpoint);
    const note = assembleNote(text, [
      signatureOf(text, "log.example/1"),
      signatureOf(text, "witness.example", witness),
    ]);
    assert.deepEqual(verifyCheckpoint(note, known("log.example/1")), checkpoint);
    assert.throws(() => verifyCheckpoint(note, known("log.example/1", witness)), invalid);
  });

  test("of one log are not another log's to sign", () => {
    const note = signNote(checkpointText(checkpoint), named("log.example/2"));
    assert.throws(() => verifyCheckpoint(note, known("log.example/2")), invalid);
  });

  const base64 = treeRoot.toString("base64");
  const malformed: Record<string, string> = {
    "two lines": "log.example/1\n2\n",
    "no origin": `\n2\n${base64}\n`,
    "a leading zero": `log.example/1\n02\n${base64}\n`,
    "a sign": `log.example/1\n+2\n${base64}\n`,
    "an exponent": `log.example/1\n2e0\n${base64}\n`,
    "a size that a double rounds": `log.example/1\n9007199254740993\n${base64}\n`,
    "a short root": `log.example/1\n2\n${treeRoot.subarray(1).toString("base64")}\n`,
    "a root in hexadecimal": `log.example/1\n2\n${treeRoot.toString("hex")}\n`,
    "an empty extension": `log.example/1\n2\n${base64}\n\n`,
    "no last newline": `log.example/1\n2\n${base64}`,
  };
  for (const [name, text] of Object.entries(malformed)) {
    test(`with ${name} are refused`, () => {
      assert.throws(() => parseCheckpointText(text), invalid);
      if (text.endsWith("\n")) {
        assert.throws(() => verifyCheckpoint(signNote(text, named("log.example/1")), known("log.example/1")), invalid);
      }
    });
  }

  test("are not made of fields that cannot be read back", () => {
    const bad = [
      { origin: "" },
      { origin: "a\nb" },
      { size: -1 },
      { size: 1.5 },
      { root: Buffer.alloc(31) },
      { extensions: [""] },
    ];
    for (const fields of bad) assert.throws(() => checkpointText({ ...checkpoint, ...fields }), invalid);
  });
});

suite("portable proofs", () => {
  const entries = Array.from({ length: 11 }, (_, i) => Buffer.from(`receipt ${i}`));
  const leaves = entries.map(leafHash);
  const checkpoint = signCheckpoint({ origin: "log.example/1", size: 11, root: root(entries) }, log);
  const proof = { index: 6, proof: inclusionProof(6, 11, leaves), checkpoint };
  const text = buildTlogProof(proof);

  test("carry all that an offline check needs", () => {
    const read = parseTlogProof(text);
    assert.deepEqual(read, proof);
    const { size, root } = verifyCheckpoint(read.checkpoint, known("log.example/1"));
    const claim = { index: read.index, size, root, proof: read.proof };
    assert.ok(verifyInclusion({ ...claim, leafHash: leafHash(Buffer.from("receipt 6")) }));
    assert.ok(!verifyInclusion({ ...claim, leafHash: leafHash(Buffer.from("receipt 7")) }));
  });

  test("look as the specification shows them", () => {
    const hashes = proof.proof.map((hash) => `${hash.toString("base64")}\n`).join("");
    assert.equal(text, `c2sp.org/tlog-proof@v1\nindex 6\n${hashes}\n${checkpoint}`);
    assert.ok(
      buildTlogProof({ ...proof, extra: Buffer.from("more") }).startsWith(
        "c2sp.org/tlog-proof@v1\nextra bW9yZQ==\nindex 6\n",
      ),
    );
  });

  test("carry extra data, and need no hashes for a tree of one leaf", () => {
    const extra = { ...proof, extra: Buffer.from([0, 255]) };
    assert.deepEqual(parseTlogProof(buildTlogProof(extra)), extra);
    const single = { index: 0, proof: [], checkpoint };
    assert.deepEqual(parseTlogProof(buildTlogProof(single)), single);
  });

  const malformed: Record<string, string> = {
    "another version": text.replace("@v1", "@v2"),
    "no index": text.replace("index 6\n", ""),
    "a negative index": text.replace("index 6", "index -1"),
    "a leading zero": text.replace("index 6", "index 06"),
    "extra data after the index": text.replace("index 6\n", "index 6\nextra bW9yZQ==\n"),
    "extra data that is no Base 64": text.replace("index 6\n", "extra ?\nindex 6\n"),
    "a short hash": text.replace("index 6\n", "index 6\nAAAA\n"),
    "no checkpoint": text.slice(0, text.indexOf("\n\n")),
    "more hashes than any tree needs": text.replace(
      "index 6\n",
      `index 6\n${`${root([]).toString("base64")}\n`.repeat(64)}`,
    ),
  };
  for (const [name, changed] of Object.entries(malformed)) {
    test(`with ${name} are refused`, () => {
      assert.throws(() => parseTlogProof(changed), invalid);
    });
  }

  test("are not made of parts that cannot be read back", () => {
    assert.throws(() => buildTlogProof({ ...proof, index: -1 }), invalid);
    assert.throws(() => buildTlogProof({ ...proof, proof: [Buffer.alloc(31)] }), invalid);
    assert.ok(consistencyProof(6, 11, leaves).length > 0);
  });
});
