/** External actions: they reach out between the intent and the effect. And jobs, which carry on what was agreed to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { HubError } from "../errors.ts";
import { defineAction } from "./define-action.ts";
import { fakeGate } from "./fake-gate.ts";
import { createRegistry } from "./registry.ts";
import type { Risk } from "./risk.ts";
import { raisedBy } from "./risk.ts";
import { runAction } from "./run-action.ts";

const EXTERNAL: Risk & { effect: "external" } = { effect: "external", approval: "none", loosens: false };

function reaching(reach: () => Promise<string>, channels: readonly ("mcp" | "job")[] = ["job"], risk = EXTERNAL) {
  const fake = fakeGate();
  const action = defineAction({
    name: "system_test_reach",
    title: "t",
    description: "d",
    permission: "system.test.reach",
    risk,
    input: z.strictObject({ force: z.boolean().default(false) }),
    output: z.strictObject({ got: z.string() }),
    errors: [],
    channels,
    policyInput: [],
    resource: ["Account"],
    target: "account",
    secretOutput: false,
    timeLimitMs: 1_000,
    summary: () => "reached",
    reach: () => {
      fake.asked.push("reach");
      return reach();
    },
    handler: async (_input, { reached }) => {
      fake.asked.push("handler");
      return { got: reached };
    },
  });
  return { ...fake, action, gate: { ...fake.gate, registry: createRegistry([action]) } };
}

const APPROVE = { kind: "approve", people: 1, holding: [], rules: [] } as const;

test("an external action reaches out after its intent and before its effect, which gets what was found", async () => {
  const { gate, request, asked } = reaching(async () => "found");
  const result = await runAction(gate, request("system_test_reach", {}, { channel: "job" }));
  assert.deepEqual(asked, ["authorise", "intervene", "intent", "reach", "handler", "stage", "sequence"]);
  assert.deepEqual(result.status === "done" && result.output, { got: "found" });
});

test("where reaching out fails there is no effect, and the intent has its outcome", async () => {
  const { gate, request, asked, entries } = reaching(async () => {
    throw new HubError("GIT_UNREACHABLE", "nobody answers");
  });
  await assert.rejects(runAction(gate, request("system_test_reach", {}, { channel: "job" })), {
    code: "GIT_UNREACHABLE",
  });
  assert.ok(!asked.includes("handler"));
  assert.deepEqual(
    entries.map(({ phase, outcome }) => [phase, outcome?.code]),
    [
      ["intent", undefined],
      ["outcome", "GIT_UNREACHABLE"],
    ],
  );
});

test("a job is not asked again for what people agreed to; a door is, and has no job's action", async () => {
  const job = reaching(async () => "x");
  job.set.demand = APPROVE;
  assert.equal((await runAction(job.gate, job.request("system_test_reach", {}, { channel: "job" }))).status, "done");
  await assert.rejects(runAction(job.gate, job.request("system_test_reach")), { code: "ACTION_UNKNOWN" });

  const door = reaching(async () => "x", ["mcp"]);
  door.set.demand = APPROVE;
  assert.equal((await runAction(door.gate, door.request("system_test_reach"))).status, "pending");
  assert.ok(!door.asked.includes("reach"));
});

test("a job is refused like anybody where the policy forbids it", async () => {
  const { gate, request, set, asked } = reaching(async () => "x");
  set.demand = { ...APPROVE, kind: "forbid", people: 0, rules: ["no"] } as never;
  await assert.rejects(runAction(gate, request("system_test_reach", {}, { channel: "job" })), {
    code: "POLICY_FORBIDS",
  });
  assert.ok(!asked.includes("reach"));
});

test("declarations that cannot stand: a job's action at a door, a write that reaches out, a raise by no input", () => {
  const { action } = reaching(async () => "x");
  createRegistry([action]);
  for (const change of [
    { channels: ["job", "mcp"] },
    { risk: { ...EXTERNAL, effect: "write" } },
    { risk: { ...EXTERNAL, raises: { colour: "approve" } } },
  ])
    assert.throws(() => createRegistry([{ ...action, ...change } as never]), TypeError);
  createRegistry([{ ...action, risk: { ...EXTERNAL, raises: { force: "two-person" } } } as never]);
});

test("an input asks for more where its field is true, and for nothing else", () => {
  const risk: Risk = { ...EXTERNAL, raises: { force: "two-person", rewrite: "approve" } };
  assert.equal(raisedBy(risk, { force: true, rewrite: true }), "two-person");
  assert.equal(raisedBy(risk, { rewrite: true }), "approve");
  for (const input of [{}, { force: false }, { force: "true" }, { force: 1 }, null, undefined])
    assert.equal(raisedBy(risk, input), undefined);
  assert.equal(raisedBy(EXTERNAL, { force: true }), undefined);
});
