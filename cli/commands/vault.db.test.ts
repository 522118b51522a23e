import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually } from "../../server/test-hub.ts";
import { EXIT } from "../exit-codes.ts";
import { type Ended, ScratchHub } from "../scratch-hub.fixture.ts";

let hub: ScratchHub;
before(async () => {
  hub = await ScratchHub.open();
});
after(() => hub[Symbol.asyncDispose]());

const vault = (...args: string[]) => hub.run("vault", ...args);
const documentOf = ({ out }: Ended) => JSON.parse(out);

function assertOk({ code, out, err }: Ended): string {
  assert.equal(code, EXIT.ok, `${out}${err}`);
  return out;
}

test("from the first rotation to the end of the old versions, by commands alone", async () => {
  assert.match(assertOk(await vault()), /No rotation yet\./);
  assert.equal((await vault("pause")).code, EXIT.failed, "there is none");
  const rotated = documentOf(await vault("rotate", "--yes", "--json"));
  assert.deepEqual([rotated.state, rotated.remaining, rotated.accounts.done], ["completed", 0, 1]);
  const { id } = rotated;
  const told = assertOk(await vault("status", id));
  assert.match(told, /completed/);
  assert.ok(told.includes(`npx countersign vault finalize ${id}`));
  assert.equal((await vault("pause", id)).code, EXIT.failed, "it is over");
  assert.equal((await vault("trim", "--yes")).code, EXIT.failed, "it is not finalised");
  assert.deepEqual(documentOf(await vault("verify", "--json")).failed, 0);
  assertOk(await vault("finalize", "--soak", "60", "--yes"));
  const soakUntil = await eventually("soak", async () => {
    const { finalization } = documentOf(await vault("status", id, "--json"));
    return (finalization.soakUntil as string | null) ?? undefined;
  });
  assert.ok(assertOk(await vault()).includes(`soaks until ${soakUntil}`), "in the list too");
  const { finalization } = documentOf(await vault("status", id, "--json"));
  const soaking = assertOk(await vault("status", id));
  const [, stop = ""] = /npx countersign call system_operations_cancel '(.+)'$/m.exec(soaking) ?? [];
  assert.deepEqual(JSON.parse(stop), { operationId: finalization.id }, soaking);
  const early = await vault("trim", "--yes");
  assert.equal(early.code, EXIT.failed, "it soaks");
  for (const told of [id, soakUntil]) assert.ok(early.err.includes(told), early.err);
  assertOk(await hub.run("call", "system_operations_cancel", stop));
  assert.ok(!assertOk(await vault("status", id)).includes("system_operations_cancel"), "nothing is left to stop");
  assertOk(await vault("finalize", "--soak", "0", "--yes"));
  await eventually("end of the finalization", async () =>
    documentOf(await vault("status", id, "--json")).finalizedAt === null ? undefined : true,
  );
  assert.ok(assertOk(await vault("status", id)).includes(`npx countersign vault trim ${id}`));
  assert.match(assertOk(await vault("trim", "--yes")), /destroyed/);
  assert.equal((await vault("trim", "--yes")).code, EXIT.failed, "nothing is left to sign for");
  assert.deepEqual(
    documentOf(await vault("status", "--json")).rotations.map((one: { id: string; state: string }) => [
      one.id,
      one.state,
    ]),
    [[id, "completed"]],
  );
});

test("a limit that the hub refuses is told as the option that was typed", async () => {
  const { code, err } = await vault("finalize", "018f0000-0000-7000-8000-000000000001", "--soak", "9999999");
  assert.equal(code, EXIT.usage);
  assert.ok(err.includes("--soak: ") && !err.includes("soakMinutes"), err);
});

test("what is no number is a wrong command", async () => {
  for (const args of [
    ["rotate", "--rate", "fast"],
    ["rotate", "--rate", "0"],
    ["finalize", "--soak", "-1"],
    ["status", "--older-than", "1.5"],
  ])
    assert.equal((await vault(...args)).code, EXIT.usage, args.join(" "));
});
