/** What the embedded key service does in a second, in one thread, against the bare cipher. */
import { createCipheriv, createDecipheriv, generateKeySync, randomBytes } from "node:crypto";
import { EmbeddedKeyService } from "../server/adapters/embedded-keys/embedded-key-service.ts";
import { FakeKeyStore } from "../server/adapters/embedded-keys/fake-key-store.ts";
import { median, type Row } from "./report.ts";

const ACCOUNT = "01900000-0000-7000-8000-000000000001";
const PLAINTEXT = randomBytes(1024);

/** One value after the other, as calls do; `items` each round. */
export async function keySpeed({ rounds, items }: { rounds: number; items: number }): Promise<Row[]> {
  const keys = new EmbeddedKeyService(generateKeySync("aes", { length: 256 }), new FakeKeyStore());
  await keys.create(ACCOUNT, "data");
  const sealed = await keys.encrypt(ACCOUNT, "data", PLAINTEXT);
  const measures: Readonly<Record<string, () => unknown>> = {
    "bare AES-256-GCM of 1 KB, both ways": bareRoundTrip(),
    "embedded encrypt, 1 KB": () => keys.encrypt(ACCOUNT, "data", PLAINTEXT),
    "embedded decrypt, 1 KB": () => keys.decrypt(ACCOUNT, "data", sealed),
  };
  const rates = new Map<string, number[]>(Object.keys(measures).map((name) => [name, []]));
  for (const measure of Object.values(measures)) await perSecond(measure, Math.ceil(items / 4));
  for (let round = 0; round < rounds; round++)
    for (const [name, measure] of Object.entries(measures)) rates.get(name)?.push(await perSecond(measure, items));
  return [...rates].map(([what, values]) => ({
    what,
    value: median(values),
    unit: "/s",
    ...(what.startsWith("embedded") && { target: "> 20,000" }),
  }));
}

function bareRoundTrip(): () => void {
  const key = generateKeySync("aes", { length: 256 });
  return () => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const ciphertext = Buffer.concat([cipher.update(PLAINTEXT), cipher.final()]);
    const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAuthTag(cipher.getAuthTag());
    Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  };
}

async function perSecond(work: () => unknown, times: number): Promise<number> {
  const began = performance.now();
  for (let done = 0; done < times; done++) await work();
  return (times / (performance.now() - began)) * 1000;
}
