import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import type { ActionRequest } from "./action-request.ts";
import { defineAction } from "./define-action.ts";
import { ACCOUNT, AUTO, caller, fakeGate } from "./fake-gate.ts";
import type { Gate } from "./gate.ts";
import { parseInput } from "./parse-input.ts";
import { createRegistry } from "./registry.ts";
import { runAction } from "./run-action.ts";

const SECRET = "hunter2-hunter2";

const declaration = {
  name: "system_test_seal",
  title: "Seal",
  description: "Seals a secret.",
  permission: "system.test.seal",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({ name: z.string().max(20), secret: z.string().max(20) }),
  output: z.strictObject({ name: z.string(), length: z.int() }),
  errors: [],
  channels: ["http"],
  policyInput: ["name"],
  resource: ["Account"],
  target: "account",
  secretInput: ["secret"],
  secretOutput: false,
  timeLimitMs: 1_000,
  summary: () => "sealed",
  leaves: ({ name, length }: { name: string; length: number }) => [
    { type: "Credential", id: name, version: length, digest: "d" },
  ],
  handler: async ({ name, secret }: { name: string; secret: string }) => ({ name, length: secret.length }),
} as const;

const seal = defineAction(declaration);
const [entry] = createRegistry([seal]).list();
assert.ok(entry);

function house() {
  const fake = fakeGate();
  const gate: Gate = { ...fake.gate, registry: createRegistry([seal]) };
  const request = (input: unknown, more: Partial<ActionRequest> = {}): ActionRequest => ({
    ...{ action: seal.name, input, caller, channel: "http", canConfirm: false },
    signal: AbortSignal.timeout(5_000),
    ...more,
  });
  return { ...fake, gate, request };
}

test("the digest of the input is the same whatever the secret", () => {
  const canonical = (secret: string) => parseInput(entry, { name: "a", secret }).canonical;
  assert.equal(canonical(SECRET), canonical("another"));
  assert.equal(canonical(SECRET), '{"name":"a"}');
  assert.equal(parseInput(entry, { name: "a", secret: SECRET }).value["secret"], SECRET, "the handler gets it");
});

test("a refused input is not repeated, neither its value nor a field that nobody knows", () => {
  for (const input of [
    { name: "a", secret: SECRET.repeat(3) },
    { name: "a", secret: { [SECRET]: 1 } },
    { name: "a", secret: "x", [SECRET]: SECRET },
    { name: SECRET.repeat(3), secret: "x" },
  ])
    assert.throws(
      () => parseInput(entry, input),
      (error: { code: string; message: string; path: string; details?: unknown }) => {
        assert.equal(error.code, "INPUT_INVALID");
        return !JSON.stringify([error.message, error.path, error.details]).includes(SECRET);
      },
    );
});

test("it is never held for approval, and never kept under an idempotency key", async () => {
  const { gate, request, set, asked } = house();
  const input = { name: "a", secret: SECRET };
  set.demand = { ...AUTO, kind: "approve", people: 1 };
  await assert.rejects(runAction(gate, request(input)), { code: "APPROVAL_UNSUPPORTED" });
  assert.ok(!asked.includes("open"));
  set.demand = { ...AUTO, kind: "confirm" };
  await assert.rejects(runAction(gate, request(input)), { code: "APPROVAL_UNSUPPORTED" });
  set.demand = AUTO;
  for (const secret of [SECRET, "another secret"]) {
    const { status, ...rest } = await runAction(gate, request({ ...input, secret }, { idempotencyKey: "once" }));
    assert.equal(status, "done");
    assert.ok(!("replayed" in rest), "each is carried out");
  }
});

test("what a change leaves stands in its outcome", async () => {
  const { gate, request, entries } = house();
  await runAction(gate, request({ name: ACCOUNT.slice(0, 8), secret: SECRET }));
  const left = [{ type: "Credential", id: ACCOUNT.slice(0, 8), version: SECRET.length, digest: "d" }];
  assert.deepEqual(entries.at(-1)?.outcome?.left, left);
  assert.ok(!JSON.stringify(entries).includes(SECRET));
});

test("a declaration that would let a secret pass through a model cannot stand", () => {
  const strange = ["elsewhere"] as unknown as readonly "secret"[];
  for (const wrong of [
    { ...declaration, channels: ["http", "mcp"] as const },
    { ...declaration, channels: ["http", "cli"] as const },
    { ...declaration, secretInput: strange },
  ])
    assert.throws(() => createRegistry([defineAction(wrong)]), TypeError);
  assert.ok(createRegistry([defineAction(declaration)]));
});
