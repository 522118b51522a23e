import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { canonicalize, type Json } from "./canonical-json.ts";
import { publicKeyFromRaw, verify } from "./ed25519.ts";
import { verifyConsistency, verifyInclusion } from "./merkle.ts";
import { parseStrictJson } from "./strict-json.ts";

const testdata = join(import.meta.dirname, "testdata");

function read(...path: string[]): string {
  return readFileSync(join(testdata, ...path), "utf8");
}

function filesBelow(folder: string): string[] {
  const files = readdirSync(join(testdata, folder), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".json"))
    .map((file) => join(folder, file))
    .sort();
}

suite("RFC 8785 vectors", () => {
  for (const file of readdirSync(join(testdata, "jcs/input"))) {
    test(file, () => {
      const bytes = Buffer.from(canonicalize(parseStrictJson(read("jcs/input", file))));
      const hex = read("jcs/outhex", file.replace(".json", ".txt")).replace(/\s+/g, "");
      assert.equal(bytes.toString("hex"), hex);
      assert.equal(bytes.toString(), read("jcs/output", file));
    });
  }
});

interface InclusionVector {
  leafIdx: number;
  treeSize: number;
  root: string;
  leafHash: string;
  proof: string[] | null;
  wantErr: boolean;
}

interface ConsistencyVector {
  size1: number;
  size2: number;
  root1: string;
  root2: string;
  proof: string[] | null;
  wantErr: boolean;
}

const bytes = (text: string) => Buffer.from(text, "base64");

/** Accepted at the source though its two roots are 12 bytes of text; what is no hash has no place in a proof here. */
const ROOTS_THAT_ARE_NO_HASHES = "merkle/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json";

suite("RFC 6962 proof vectors", () => {
  for (const file of filesBelow("merkle/inclusion")) {
    test(file, () => {
      const vector = JSON.parse(read(file)) as InclusionVector;
      const verdict = verifyInclusion({
        index: vector.leafIdx,
        size: vector.treeSize,
        leafHash: bytes(vector.leafHash),
        proof: (vector.proof ?? []).map(bytes),
        root: bytes(vector.root),
      });
      assert.equal(verdict, !vector.wantErr);
    });
  }
  for (const file of filesBelow("merkle/consistency")) {
    test(file, () => {
      const vector = JSON.parse(read(file)) as ConsistencyVector;
      const { size1, size2 } = vector;
      const [root1, root2, proof] = [bytes(vector.root1), bytes(vector.root2), (vector.proof ?? []).map(bytes)];
      const verdict = verifyConsistency({ size1, size2, root1, root2, proof });
      assert.equal(verdict, !vector.wantErr && file !== ROOTS_THAT_ARE_NO_HASHES);
    });
  }
});

interface SignatureVectors {
  numberOfTests: number;
  testGroups: {
    publicKey: { pk: string };
    tests: { tcId: number; comment: string; msg: string; sig: string; result: "valid" | "invalid" }[];
  }[];
}

suite("Wycheproof Ed25519 vectors", () => {
  const vectors = JSON.parse(read("wycheproof/ed25519_test.json")) as SignatureVectors;
  for (const group of vectors.testGroups) {
    for (const vector of group.tests) {
      test(`${vector.tcId} ${vector.comment}`, () => {
        const publicKey = publicKeyFromRaw(Buffer.from(group.publicKey.pk, "hex"));
        const verdict = verify(Buffer.from(vector.msg, "hex"), Buffer.from(vector.sig, "hex"), publicKey);
        assert.equal(verdict, vector.result === "valid");
      });
    }
  }
});

test("no vector is left out", () => {
  const vectors = JSON.parse(read("wycheproof/ed25519_test.json")) as SignatureVectors;
  assert.equal(vectors.testGroups.flatMap((group) => group.tests).length, vectors.numberOfTests);
  const merkle = filesBelow("merkle");
  assert.equal(merkle.length, 196);
  assert.ok(merkle.includes(ROOTS_THAT_ARE_NO_HASHES));
  const inputs: Json = readdirSync(join(testdata, "jcs/input"));
  assert.deepEqual(inputs, readdirSync(join(testdata, "jcs/output")));
  assert.equal(inputs.length, 6);
});
