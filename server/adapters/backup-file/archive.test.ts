import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { type ArchiveEntry, LARGEST_ENTRY, readArchive } from "./archive-reader.ts";
import { type ArchiveWriter, refuseTaken, writeArchive } from "./archive-writer.ts";
import { decrypt, type Unlock } from "./lock.ts";

/** age encrypts this much at a time. */
const CHUNK = 65_536;

let folder: string;
let identity: string;
let recipient: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "countersign-archives-"));
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Random bytes, so that nothing of them is compressed away. */
const CONTENT: readonly ArchiveEntry[] = [
  { name: "first", content: randomBytes(10) },
  { name: "second", content: randomBytes(3 * CHUNK) },
  { name: "third", content: Buffer.alloc(0) },
];

const place = (...names: string[]) => {
  const path = join(folder, ...names);
  return { path, part: `${path}.part` };
};
const write = (name: string, fill: (archive: ArchiveWriter) => Promise<void>) =>
  writeArchive(place(name), { recipients: [recipient] }, fill);
const fill = async (archive: ArchiveWriter) => {
  for (const { name, content } of CONTENT) await archive.entry(name, content);
};
const read = (path: string) => Array.fromAsync(readArchive(path, { identities: [identity] }));

test("what was written is read again; its name and its digest come when it is whole", async () => {
  const path = join(folder, "whole");
  const { bytes } = await write("whole", async (archive) => {
    await fill(archive);
    assert.ok(!existsSync(path) && existsSync(`${path}.part`));
  });
  assert.deepEqual(await read(path), CONTENT);
  assert.equal(statSync(path).size, bytes);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a byte that was changed, one too few and one too many are told", async () => {
  await write("good", fill);
  const good = readFileSync(join(folder, "good"));
  const header = good.indexOf("---") + 50; // past its MAC, the nonce
  const places = [header, header + 30, good.length >> 1, good.length - 1];
  const bad = places.map((at) => {
    const bytes = Buffer.from(good);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    return bytes;
  });
  const body = good.length - (good.length % (CHUNK + 16));
  for (const end of [good.length - 1, body, body - CHUNK, header + 20, 30, 0]) bad.push(good.subarray(0, end));
  bad.push(Buffer.concat([good, Buffer.from([0])]), Buffer.concat([good, good]));
  for (const [no, bytes] of bad.entries()) {
    writeFileSync(join(folder, "bad"), bytes);
    await assert.rejects(read(join(folder, "bad")), { code: "BACKUP_DAMAGED" }, `case ${no}`);
  }
  writeFileSync(join(folder, "bad"), good);
  assert.equal((await read(join(folder, "bad"))).length, CONTENT.length);
});

test("what was changed in the header, or is another's, is not opened", async () => {
  await write("mine", fill);
  const other = await generateX25519Identity();
  await assert.rejects(Array.fromAsync(readArchive(join(folder, "mine"), { identities: [other] })), {
    code: "BACKUP_KEY_WRONG",
  });
  const both = await Array.fromAsync(readArchive(join(folder, "mine"), { identities: [other, identity] }));
  assert.equal(both.length, CONTENT.length);
  await assert.rejects(Array.fromAsync(readArchive(join(folder, "mine"), { identities: ["none"] })), {
    code: "INPUT_INVALID",
  });
  await assert.rejects(read(join(folder, "nowhere")), { code: "NOT_FOUND" });
});

test("a passphrase opens what it was given for, and nothing else does", async () => {
  const encrypter = new Encrypter();
  encrypter.setScryptWorkFactor(4);
  encrypter.setPassphrase("the right one");
  const file = await encrypter.encrypt("plain");
  const open = async (unlock: Unlock) => text(await decrypt(Readable.toWeb(Readable.from([file])), unlock));
  assert.equal(await open({ passphrase: "the right one" }), "plain");
  await assert.rejects(open({ passphrase: "the wrong one" }), { code: "BACKUP_KEY_WRONG" });
  await assert.rejects(open({ identities: [identity] }), { code: "BACKUP_KEY_WRONG" });
});

test("an entry that no backup has is not taken into memory", async () => {
  await write("large", (archive) => archive.entry("large", Buffer.alloc(LARGEST_ENTRY + 1)));
  await assert.rejects(read(join(folder, "large")), { code: "BACKUP_DAMAGED" });
  await write("largest", (archive) => archive.entry("largest", Buffer.alloc(LARGEST_ENTRY)));
  assert.equal((await read(join(folder, "largest")))[0]?.content.length, LARGEST_ENTRY);
});

test("a name is taken by whatever bears it, and free where there is nothing", async () => {
  const path = join(folder, "name");
  await refuseTaken(path);
  const layings = [
    () => execFileSync("mkfifo", [path]),
    () => symlinkSync(join(folder, "no-such-file"), path),
    () => mkdirSync(path),
  ];
  for (const lay of layings) {
    lay();
    await assert.rejects(refuseTaken(path), { code: "ALREADY_EXISTS" });
    await assert.rejects(write("name", fill), { code: "ALREADY_EXISTS" });
    rmSync(path, { recursive: true });
  }
  await refuseTaken(path);
  writeFileSync(join(folder, "no-folder"), "");
  for (const parent of ["nowhere", "no-folder"])
    await assert.rejects(refuseTaken(join(folder, parent, "name")), {
      code: "CONFIG_INVALID",
      details: { folder: join(folder, parent) },
    });
  rmSync(join(folder, "no-folder"));
});

test("what fails leaves nothing, and what is there already stays", async () => {
  const before = readdirSync(folder);
  const given = new Error("no more rows");
  const failing = async (archive: ArchiveWriter) => {
    await fill(archive);
    throw given;
  };
  await assert.rejects(write("failed", failing), given);
  await assert.rejects(writeArchive(place("failed"), { recipients: ["age1nobody"] }, fill), {
    code: "INPUT_INVALID",
  });
  assert.deepEqual(readdirSync(folder), before);
  await assert.rejects(writeArchive(place("none", "x"), { recipients: [recipient] }, fill), {
    code: "CONFIG_INVALID",
  });
  writeFileSync(join(folder, "taken"), "another's");
  await assert.rejects(write("taken", fill), { code: "ALREADY_EXISTS" });
  assert.equal(readFileSync(join(folder, "taken"), "utf8"), "another's");
  writeFileSync(join(folder, "begun.part"), "another's");
  await assert.rejects(write("begun", fill), { code: "ALREADY_EXISTS" });
  assert.equal(readFileSync(join(folder, "begun.part"), "utf8"), "another's");
  // one that came while this was being written
  const meanwhile = async (archive: ArchiveWriter) => {
    await fill(archive);
    writeFileSync(join(folder, "meanwhile"), "another's");
  };
  await assert.rejects(write("meanwhile", meanwhile), { code: "ALREADY_EXISTS" });
  assert.equal(readFileSync(join(folder, "meanwhile"), "utf8"), "another's");
});
