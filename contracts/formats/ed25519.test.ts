import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { suite, test } from "node:test";
import {
  generateKeyPair,
  keyId,
  keyPairFromDer,
  keyPairFromPem,
  privateKeyToDer,
  privateKeyToPem,
  publicKeyFromBase64,
  publicKeyFromDer,
  publicKeyFromPem,
  publicKeyFromRaw,
  publicKeyToBase64,
  publicKeyToDer,
  publicKeyToPem,
  publicKeyToRaw,
  sign,
  verify,
} from "./ed25519.ts";

const message = Buffer.from("the target moved");

suite("signatures", () => {
  test("verify under the key, over the message, and nowhere else", () => {
    const { publicKey, privateKey } = generateKeyPair();
    const signature = sign(message, privateKey);
    assert.equal(signature.length, 64);
    assert.ok(verify(message, signature, publicKey));
    assert.ok(!verify(Buffer.from("the target stayed"), signature, publicKey));
    assert.ok(!verify(message, signature, generateKeyPair().publicKey));
  });

  test("of another length are refused, not thrown at", () => {
    const { publicKey, privateKey } = generateKeyPair();
    const signature = sign(message, privateKey);
    for (const other of [Buffer.alloc(0), signature.subarray(0, 63), Buffer.concat([signature, Buffer.of(0)])]) {
      assert.ok(!verify(message, other, publicKey));
    }
  });

  test("need keys of this kind and the right half", () => {
    const { publicKey, privateKey } = generateKeyPair();
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
    assert.throws(() => sign(message, ec.privateKey), { code: "INTERNAL" });
    assert.throws(() => sign(message, publicKey), { code: "INTERNAL" });
    assert.throws(() => verify(message, sign(message, privateKey), ec.publicKey), { code: "INTERNAL" });
    assert.throws(() => verify(message, sign(message, privateKey), privateKey), { code: "INTERNAL" });
  });
});

suite("keys", () => {
  const pair = generateKeyPair();
  const same = (key: KeyObject) => key.equals(pair.publicKey);

  test("survive each form", () => {
    assert.ok(same(publicKeyFromDer(publicKeyToDer(pair.publicKey))));
    assert.ok(same(publicKeyFromRaw(publicKeyToRaw(pair.publicKey))));
    assert.ok(same(publicKeyFromBase64(publicKeyToBase64(pair.publicKey))));
    assert.ok(same(publicKeyFromPem(publicKeyToPem(pair.publicKey))));
    for (const read of [
      keyPairFromPem(privateKeyToPem(pair.privateKey)),
      keyPairFromDer(privateKeyToDer(pair.privateKey)),
    ]) {
      assert.ok(read.privateKey.equals(pair.privateKey));
      assert.ok(same(read.publicKey));
    }
  });

  test("have the SHA-256 of their SPKI DER as id", () => {
    const der = pair.publicKey.export({ format: "der", type: "spki" });
    const expected = createHash("sha256").update(der).digest("hex");
    assert.equal(keyId(pair.publicKey), expected);
    assert.equal(keyId(publicKeyFromDer(der)), expected);
  });

  test("are refused in all but one encoding", () => {
    const der = publicKeyToDer(pair.publicKey);
    const base64 = der.toString("base64");
    const pem = publicKeyToPem(pair.publicKey);
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const x25519 = generateKeyPairSync("x25519").publicKey;
    const reads: (() => unknown)[] = [
      () => publicKeyFromDer(Buffer.concat([der, Buffer.of(0)])),
      () => publicKeyFromDer(der.subarray(0, 43)),
      () => publicKeyFromDer(x25519.export({ format: "der", type: "spki" })),
      () => publicKeyFromBase64(base64.replace(/=+$/, "")),
      () => publicKeyFromBase64(`${base64}\n`),
      () => publicKeyFromBase64(""),
      () => publicKeyFromPem(ec.publicKey.export({ format: "pem", type: "spki" }) as string),
      () => publicKeyFromPem(`${pem}${pem}`),
      () => publicKeyFromPem(privateKeyToPem(pair.privateKey)),
      () => publicKeyFromPem(`-----BEGIN PUBLIC KEY-----${" ".repeat(1_000_000)}`),
      () => publicKeyFromPem(pem.replace("PUBLIC", "PRIVATE")),
      () => publicKeyFromRaw(Buffer.alloc(31, 1)),
      () => keyPairFromPem(pem),
      () => keyPairFromPem(ec.privateKey.export({ format: "pem", type: "pkcs8" }) as string),
      () => keyPairFromDer(Buffer.from("junk")),
    ];
    for (const read of reads) assert.throws(read, { code: "INPUT_INVALID" });
    assert.ok(same(publicKeyFromPem(`\n${pem.replaceAll("\n", "\r\n")}\n`)));
  });
});

suite("keys under which signatures can be made up", () => {
  // p = 2^255 - 19; d and the square root of -1 as in RFC 8032
  const p = 2n ** 255n - 19n;
  const mod = (n: bigint) => ((n % p) + p) % p;
  function power(base: bigint, exponent: bigint): bigint {
    let result = 1n;
    let square = mod(base);
    for (let rest = exponent; rest > 0n; rest >>= 1n) {
      if (rest & 1n) result = mod(result * square);
      square = mod(square * square);
    }
    return result;
  }
  const inverse = (n: bigint) => power(n, p - 2n);
  const d = mod(-121665n * inverse(121666n));
  const root = power(2n, (p - 1n) / 4n);
  type Point = readonly [x: bigint, y: bigint];

  function decode(raw: Buffer): Point | undefined {
    const y = BigInt(`0x${Buffer.from(raw).reverse().toString("hex")}`) & (2n ** 255n - 1n);
    const xx = mod((y * y - 1n) * inverse(d * y * y + 1n));
    let x = power(xx, (p + 3n) / 8n);
    if (mod(x * x - xx) !== 0n) x = mod(x * root);
    return mod(x * x - xx) === 0n ? [x, mod(y)] : undefined;
  }
  function double([x, y]: Point): Point {
    const k = mod(d * x * x * y * y);
    return [mod(2n * x * y * inverse(1n + k)), mod((y * y + x * x) * inverse(1n - k))];
  }
  const timesEight = (point: Point) => double(double(double(point)));

  /** The coordinates y of all eight points of small order: 0, 1, -1 and two of the points of order 8. */
  const orderEight = [
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  ];
  const small = [0n, 1n, p - 1n].map((y) => Buffer.from(y.toString(16).padStart(64, "0"), "hex").reverse());
  const points = [...small, ...orderEight.map((hex) => Buffer.from(hex, "hex"))];

  for (const raw of points) {
    for (const sign of [0, 0x80]) {
      const encoded = Buffer.from(raw);
      encoded.writeUInt8(encoded.readUInt8(31) | sign, 31);
      test(`${encoded.toString("hex")} is of small order and refused`, () => {
        const point = decode(encoded);
        assert.ok(point);
        assert.deepEqual(timesEight(point), [0n, 1n]);
        assert.throws(() => publicKeyFromRaw(encoded), { code: "INPUT_INVALID" });
      });
    }
  }

  test("coordinates from p upwards are second encodings and refused", () => {
    for (let excess = 0n; excess < 19n; excess++) {
      const raw = Buffer.from((p + excess).toString(16).padStart(64, "0"), "hex").reverse();
      assert.throws(() => publicKeyFromRaw(raw), { code: "INPUT_INVALID" });
    }
    // the largest coordinate below p whose point is a usable one is read
    let y = p - 2n;
    const encode = (value: bigint) => Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
    while (decode(encode(y)) === undefined) y--;
    assert.equal(publicKeyToRaw(publicKeyFromRaw(encode(y))).toString("hex"), encode(y).toString("hex"));
  });
});
