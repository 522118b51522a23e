import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { promptHidden } from "./hidden-prompt.ts";

/** A terminal at which somebody types. */
function terminal(isTTY: boolean) {
  const input = Object.assign(new PassThrough(), { isTTY, setRawMode: () => {} });
  const error = new PassThrough();
  return { streams: { input: input as unknown as NodeJS.ReadStream, error }, input, error };
}

test("what is typed is read, edited and not shown", async () => {
  const { streams, input, error } = terminal(true);
  const asking = promptHidden("Passphrase", streams);
  input.write("correct horsf\u007fe\r");
  assert.equal(await asking, "correct horse");
  error.end();
  assert.equal(String(await error.toArray().then((parts) => Buffer.concat(parts as Buffer[]))), "Passphrase: \n");
});

test("nobody is asked where nobody sits", async () => {
  await assert.rejects(promptHidden("Passphrase", terminal(false).streams), { code: "CONFIG_INVALID" });
});
