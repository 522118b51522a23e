import assert from "node:assert/strict";
import { test } from "node:test";
import { HubError } from "../server/errors.ts";
import { inOptions, naming } from "./option-names.ts";

const NAMES = { allowedHosts: "--host", name: "<name>", widen: "--widen" };

const told = (message: string, path?: string) => {
  const error = inOptions(new HubError("INPUT_INVALID", message, path === undefined ? {} : { path }), NAMES);
  return [error.message, error.path];
};

test("a place in the tool's input is told as the option that it came from", () => {
  assert.deepEqual(told("allowedHosts[1]: a host in lower case", "allowedHosts[1]"), [
    "--host: a host in lower case",
    "--host",
  ]);
  assert.deepEqual(told("name: a DNS label", "name"), ["<name>: a DNS label", "<name>"]);
  assert.deepEqual(told("widen: more than before. Say so with widen: true.", "widen"), [
    "--widen: more than before. Say so with --widen.",
    "--widen",
  ]);
});

test("what no option stands for, and ordinary words, stay as they are", () => {
  assert.deepEqual(told("object.spec: missing", "object.spec"), ["object.spec: missing", "object.spec"]);
  assert.deepEqual(told("There is no credential of that name: forge."), [
    "There is no credential of that name: forge.",
    undefined,
  ]);
});

test("a command's refusals are told so, with code, details and receipt; other errors are not touched", async () => {
  const refusal = new HubError("INPUT_INVALID", "name: no", { path: "name", details: { problems: [] } });
  refusal.receipt = { id: "1.outcome", callId: "1", salt: "" };
  const failing = (error: unknown) =>
    naming(NAMES, async () => {
      throw error;
    })();
  await assert.rejects(failing(refusal), (error: HubError) => {
    assert.deepEqual([error.code, error.path, error.receipt?.id], ["INPUT_INVALID", "<name>", "1.outcome"]);
    assert.deepEqual(error.details, { problems: [] });
    return true;
  });
  const other = new TypeError("name: a fault");
  await assert.rejects(failing(other), (error) => error === other);
});
