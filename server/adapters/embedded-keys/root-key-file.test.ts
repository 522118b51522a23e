import assert from "node:assert/strict";
import { type KeyObject, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
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
import { afterEach, beforeEach, suite, test } from "node:test";
import { HubError } from "../../errors.ts";
import { openRootKeyFile } from "./root-key-file.ts";

const invalid = { code: "CONFIG_INVALID" };
const unreachable = { code: "KEY_SERVICE_UNREACHABLE" };

suite("the root key file", () => {
  let folder: string;
  let path: string;
  let dataFolder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-root-key-"));
    dataFolder = join(folder, "data");
    mkdirSync(dataFolder);
    mkdirSync(join(folder, "keys"));
    path = join(folder, "keys", "root.key");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const open = (create = false, place = path): Promise<KeyObject> =>
    openRootKeyFile({ path: place, dataFolder, create });

  test("is made once, for this user alone, and read back", async () => {
    const key = await open(true);
    assert.equal(key.symmetricKeySize, 32);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.match(readFileSync(path, "latin1"), /^[A-Za-z0-9+/]{43}=\n$/);
    assert.ok((await open(true)).equals(key));
    assert.ok((await open()).equals(key));
    assert.deepEqual(readdirSync(join(folder, "keys")), ["root.key"]);
  });

  test("is one key, however many make it at once", async () => {
    const [first, ...others] = await Promise.all(Array.from({ length: 20 }, () => open(true)));
    for (const other of others) assert.ok(first?.equals(other));
    assert.deepEqual(readdirSync(join(folder, "keys")), ["root.key"]);
  });

  test("gets its mode whatever the umask is", async () => {
    const umask = process.umask(0o277);
    try {
      await open(true);
    } finally {
      process.umask(umask);
    }
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test("is missed where nobody asked to make it, with a sentence that says what to do", async () => {
    await assert.rejects(open(), (error: HubError) => {
      assert.ok(error instanceof HubError);
      assert.equal(error.code, "KEY_SERVICE_UNREACHABLE");
      return error.message.includes(path) && error.message.includes("COUNTERSIGN_ROOT_KEY_FILE");
    });
    assert.deepEqual(readdirSync(join(folder, "keys")), []);
    await open(true);
    await open();
  });

  for (const mode of [0o640, 0o604, 0o620, 0o610, 0o644]) {
    test(`is refused with mode ${mode.toString(8)}`, async () => {
      await open(true);
      chmodSync(path, mode);
      await assert.rejects(
        open(),
        (error: HubError) => error.code === "CONFIG_INVALID" && error.message.includes("chmod 600"),
      );
      await assert.rejects(open(true), invalid);
      chmodSync(path, 0o400);
      await open();
    });
  }

  const cannotGiveAway = process.getuid?.() === 0 ? false : "only root can give a file to another user";
  test("is refused where it belongs to another user", { skip: cannotGiveAway }, async () => {
    await open(true);
    chownSync(path, 65534, 65534);
    await assert.rejects(
      open(),
      (error: HubError) => error.code === "CONFIG_INVALID" && error.message.includes("chown 0"),
    );
    chownSync(path, 0, 0);
    await open();
  });

  test("is refused inside the data folder, by whatever way", async () => {
    await assert.rejects(open(true, join(dataFolder, "root.key")), invalid);
    mkdirSync(join(dataFolder, "keys"));
    await assert.rejects(open(true, join(dataFolder, "keys", "root.key")), invalid);
    symlinkSync(join(dataFolder, "keys"), join(folder, "elsewhere"));
    await assert.rejects(open(true, join(folder, "elsewhere", "root.key")), invalid);
    assert.deepEqual(readdirSync(join(dataFolder, "keys")), []);
    // a link outside to a file inside
    writeFileSync(join(dataFolder, "keys", "root.key"), `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
    symlinkSync(join(dataFolder, "keys", "root.key"), path);
    await assert.rejects(open(), invalid);
  });

  test("is read beside the data folder, through links, and before that folder exists", async () => {
    rmSync(dataFolder, { recursive: true });
    await assert.rejects(open(true, join(dataFolder, "keys", "root.key")), invalid);
    const place = join(folder, "data-keys");
    mkdirSync(place);
    const key = await open(true, join(place, "root.key"));
    symlinkSync(join(place, "root.key"), path);
    assert.ok((await open()).equals(key));
  });

  test("is refused where it holds anything but a key", async () => {
    const key = randomBytes(32).toString("base64");
    const write = (content: string) => writeFileSync(path, content, { mode: 0o600 });
    const bad = [
      "",
      "\n",
      key.slice(1),
      `${key}${key}`,
      `x${key}`,
      randomBytes(31).toString("base64"),
      randomBytes(33).toString("base64"),
      randomBytes(32).toString("hex"),
    ];
    for (const content of bad) {
      write(content);
      await assert.rejects(open(), invalid, JSON.stringify(content));
      // and never overwritten: what it was may still be found out
      await assert.rejects(open(true), invalid);
      assert.equal(readFileSync(path, "latin1"), content);
    }
    for (const content of [key, `${key}\n`, `${key}\r\n`]) {
      write(content);
      assert.equal((await open()).export().toString("base64"), key);
    }
  });

  test("cannot be a folder, or in a folder that is not there", async () => {
    await assert.rejects(open(true, join(folder, "missing", "root.key")), unreachable);
    mkdirSync(path, { mode: 0o700 });
    await assert.rejects(open(true), unreachable);
  });
});
