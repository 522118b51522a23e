import assert from "node:assert/strict";
import { test } from "node:test";
import { openEngine } from "./cedar-engine.ts";
import { cedarSchema } from "./cedar-schema.ts";
import { allActions } from "./fixtures/actions.ts";
import { narrowContext, oneActionSchema } from "./narrow-call.ts";

const context = {
  input: { note: "n", nested: { region: "eu", replicas: 2 }, tags: ["a"] },
  channel: { type: "Channel", id: "mcp" },
};

test("keeps what is read, at its place", () => {
  const narrow = (...paths: string[]) =>
    narrowContext(
      context,
      paths.map((path) => (path === "" ? [] : path.split("."))),
    );
  assert.deepEqual(narrow(), {});
  assert.deepEqual(narrow("channel"), { channel: context.channel });
  assert.deepEqual(narrow("input.nested.region", "input.note"), { input: { nested: { region: "eu" }, note: "n" } });
  assert.deepEqual(narrow("input.nested"), { input: { nested: context.input.nested } });
  assert.deepEqual(narrow(""), context);
});

test("what is absent stays absent, and its parent stays present", () => {
  assert.deepEqual(narrowContext(context, [["input", "missing"]]), { input: {} });
  assert.deepEqual(narrowContext(context, [["input", "nested", "missing"]]), { input: { nested: {} } });
  assert.deepEqual(narrowContext(context, [["input", "constructor"]]), { input: {} });
  assert.deepEqual(narrowContext(context, [["time", "unix"]]), {});
});

test("a schema of one action has its groups, and asks for no part of the context", () => {
  const schema = oneActionSchema(cedarSchema(allActions).json, "system_fleet_put_object");
  assert.deepEqual(Object.keys(schema[""]?.actions ?? {}), [
    "system_fleet_put_object",
    "system.fleet.write",
    "system.fleet",
    "system",
    "effect:write",
    "approval:approve",
  ]);
  const engine = openEngine();
  const fits = (part: object) =>
    engine.checkParseContext({
      schema,
      action: { type: "Action", id: "system_fleet_put_object" },
      context: part as Record<string, never>,
    }).type;
  assert.equal(fits({}), "success");
  assert.equal(fits({ input: { object: { name: "x" } } }), "success");
  assert.equal(fits({ input: { object: { name: 1 } } }), "failure");
  assert.equal(fits({ input: { objet: {} } }), "failure");
});
