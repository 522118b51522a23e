import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { scratchOpenPgpKey } from "../../../scripts/generators/examples/scratch-openpgp-key.ts";
import { readCertificate } from "./certificate.ts";
import { openpgp } from "./library.ts";
import { binarySignature, verifyOpenPgpSignature } from "./signature.ts";

interface Vector {
  readonly name: string;
  readonly certificate: string;
  readonly signature: string;
}

const vectors = JSON.parse(readFileSync(new URL("./testdata/signatures.json", import.meta.url), "utf8")) as {
  readonly message: string;
  readonly from: string;
  readonly until: string;
  readonly now: string;
  readonly accept: readonly Vector[];
  readonly reject: readonly (Vector & { readonly twin: string })[];
};
const message = Buffer.from(vectors.message, "base64");
const when = { from: new Date(vectors.from), until: new Date(vectors.until), now: new Date(vectors.now) };

async function verify({ certificate, signature }: Vector): Promise<void> {
  const read = await readCertificate(certificate);
  // as the hub keeps it
  for (const kept of [read, await readCertificate(read.bytes)])
    await verifyOpenPgpSignature(kept, message, Buffer.from(signature, "base64"), when);
}

for (const vector of vectors.accept) {
  test(`accepted: ${vector.name}`, () => verify(vector));
}

for (const vector of vectors.reject) {
  test(`refused: ${vector.name}`, async () => {
    assert.ok(
      vectors.accept.some(({ name }) => name === vector.twin),
      "its twin is accepted",
    );
    await assert.rejects(verify(vector), { code: "ENVELOPE_INVALID", path: "signatures[0].sig" });
  });
}

test("armour is taken off a signature file, and what is none is refused", async () => {
  const made = await scratchOpenPgpKey("Ada");
  const signature = await made.sign(message);
  const { armor, enums } = await openpgp();
  const armoured = Buffer.from(armor(enums.armor.signature, Uint8Array.from(signature)));
  assert.deepEqual(await binarySignature(armoured), signature);
  assert.deepEqual(await binarySignature(signature), signature);
  const key = Buffer.from(made.certificate);
  await assert.rejects(binarySignature(key), { code: "ENVELOPE_INVALID" });
});
