import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { RotationView } from "../../../contracts/vault/rotation.ts";
import { CliFolder } from "../../cli-folder.ts";
import type { CliContext } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import type { HubClient } from "../../hub-client.ts";
import { openTerminal, type TerminalStreams } from "../../terminal.ts";
import { followRotation } from "./rotate-keys.ts";

const ID = "01900000-0000-7000-8000-000000000112";
const WORKING: RotationView = {
  ...{ id: ID, state: "working", paused: false, progress: { done: 1, total: 3, sentence: "Under way." } },
  ...{ accounts: { total: 1, done: 0, failed: 0 }, rotated: 1, skipped: 0, failed: 0, remaining: 2, payloads: 0 },
  ...{ ratePerSecond: null, rateLimit: null, secondsLeft: null, failures: [], finalizedAt: null, finalization: null },
  ...{ error: null, requestedBy: "ada", createdAt: "2026-11-26T09:00:00.000Z", endedAt: null },
};
const RESUME = `npx countersign vault resume ${ID}`;

/** What is printed where the hub tells of the rotation so, one look after the other. */
async function followed(looks: readonly Partial<RotationView>[], json = false) {
  const stream = () => Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY: false });
  const [input, output, error] = [stream(), stream(), stream()];
  const terminal = openTerminal({ colours: false }, { input, output, error } as unknown as TerminalStreams);
  terminal.json = json;
  const context = { terminal, folder: new CliFolder("unused"), exitCode: EXIT.ok } as unknown as CliContext;
  const left = [...looks];
  const hub = { output: async () => ({ rotation: { ...WORKING, ...left.shift() } }) } as unknown as HubClient;
  await followRotation(context, hub, ID, {});
  return { exitCode: context.exitCode, out: String(output.read()), err: String(error.read()) };
}

test("a rotation that somebody pauses meanwhile is not done: its end names the command that goes on", async () => {
  const paused = await followed([{}, { paused: true }]);
  assert.equal(paused.exitCode, EXIT.failed);
  assert.ok(paused.out.includes(RESUME), paused.out);
  const asJson = await followed([{ paused: true }], true);
  assert.deepEqual([asJson.exitCode, JSON.parse(asJson.out).paused], [EXIT.failed, true]);
  assert.ok(asJson.err.includes(RESUME), asJson.err);
  for (const json of [false, true]) {
    const { exitCode, out, err } = await followed([{}, { state: "completed" }], json);
    assert.equal(exitCode, EXIT.ok);
    assert.ok(!`${out}${err}`.includes(RESUME));
  }
});
