import assert from "node:assert/strict";
import { test } from "node:test";
import { HubError } from "../../errors.ts";
import type { KeyMetadata } from "../keys/key-service.ts";
import type { AccountKeys } from "./account-keys.ts";
import type { Look } from "./account-walk.ts";
import { latestVersion, rotateOnce } from "./rotate-account-key.ts";
import type { AccountWalk, RotationReader } from "./rotation-store.ts";

const accountId = "018f0000-0000-7000-8000-000000000001";
const walker = { rotationId: "018f0000-0000-7000-8000-000000000002", fence: 3 };
const recorded: AccountWalk = {
  ...{ rotationId: walker.rotationId, fence: 3, state: "recorded", fromVersion: 1, passes: 1, batches: 0 },
};

/** A key of so many versions, whose rotation may be done and not answered. */
function keyOf(latest: number, loses = false) {
  const seen = { latest, rotations: 0 };
  const metadata = async () => ({ latestVersion: seen.latest }) as KeyMetadata;
  const keys = {
    metadata,
    async rotate() {
      seen.latest++;
      seen.rotations++;
      if (loses) throw new HubError("KEY_SERVICE_UNREACHABLE", "no answer came");
      return metadata();
    },
  } as unknown as AccountKeys;
  return { seen, keys };
}

const looking =
  (walk: AccountWalk | undefined): Look =>
  (look) =>
    look({ walk: async () => walk } as unknown as RotationReader);

test("a key is rotated where it still has the version on record", async () => {
  const { seen, keys } = keyOf(1);
  assert.equal(await rotateOnce(walker, { look: looking(recorded), keys, accountId }), 2);
  assert.equal(seen.rotations, 1);
});

test("a rotation whose answer was lost is not done again: the key service is asked first", async () => {
  const { seen, keys } = keyOf(1, true);
  const reaching = { look: looking(recorded), keys, accountId };
  await assert.rejects(rotateOnce(walker, reaching), { code: "KEY_SERVICE_UNREACHABLE" });
  assert.equal(await rotateOnce(walker, reaching), 2);
  assert.equal(seen.rotations, 1);
});

test("what is rotated and recorded is left alone, and the version on record stays the one before", async () => {
  const { seen, keys } = keyOf(7);
  const walk: AccountWalk = { ...recorded, state: "rotated", toVersion: 2 };
  const reaching = { look: looking(walk), keys, accountId };
  assert.equal(await rotateOnce(walker, reaching), 2);
  assert.equal(await latestVersion(walker, reaching), 1);
  assert.equal(await latestVersion(walker, { ...reaching, look: looking(undefined) }), 7);
  assert.equal(seen.rotations, 0);
});

test("a walker that was taken over rotates nothing, nor does one that never recorded a version", async () => {
  const { seen, keys } = keyOf(1);
  const later = { ...recorded, fence: 4 };
  await assert.rejects(rotateOnce(walker, { look: looking(later), keys, accountId }), { code: "CANCELLED" });
  await assert.rejects(rotateOnce(walker, { look: looking(undefined), keys, accountId }), { code: "NOT_FOUND" });
  assert.equal(seen.rotations, 0);
});

test("a key that has fewer versions than are on record is another key, and is not rotated", async () => {
  const { seen, keys } = keyOf(1);
  const look = looking({ ...recorded, fromVersion: 2 });
  await assert.rejects(rotateOnce(walker, { look, keys, accountId }), { code: "KEY_NOT_FOUND" });
  assert.equal(seen.rotations, 0);
});
