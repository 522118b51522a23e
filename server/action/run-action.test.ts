import assert from "node:assert/strict";
import { test } from "node:test";
import { HubError } from "../errors.ts";
import { AUTO, fakeGate } from "./fake-gate.ts";
import { runAction } from "./run-action.ts";

const CONFIRM = { kind: "confirm", people: 0, holding: [], rules: ["r"] } as const;
const APPROVE = { kind: "approve", people: 1, holding: [], rules: [] } as const;

test("a change passes the guards in their order, and its outcome is staged before the caller is answered", async () => {
  const { gate, request, asked, rows } = fakeGate();
  const result = await runAction(gate, request("system_test_change", { text: "a" }));
  assert.equal(result.status, "done");
  assert.deepEqual(asked, ["authorise", "intervene", "intent", "handler", "stage", "sequence"]);
  assert.deepEqual(rows, ["a"]);
});

test("a read leaves one outcome and no intent", async () => {
  const { gate, request, asked, entries } = fakeGate();
  await runAction(gate, request("system_test_read"));
  assert.deepEqual(asked, ["authorise", "intervene", "handler"]);
  assert.deepEqual(
    entries.map((e) => [e.phase, e.outcome?.code]),
    [["outcome", "OK"]],
  );
});

for (const [what, action, input, code, path] of [
  ["an unknown action", "system_test_nothing", {}, "ACTION_UNKNOWN", undefined],
  ["an action of another door", "system_test_hidden", {}, "ACTION_UNKNOWN", undefined],
  ["an unknown field", "system_test_change", { text: "a", extra: 1 }, "INPUT_INVALID", "extra"],
  ["an unknown field deep inside", "system_test_change", { nested: { n: 1, m: 2 } }, "INPUT_INVALID", "nested.m"],
  ["a wrong type", "system_test_change", { nested: { n: "1" } }, "INPUT_INVALID", "nested.n"],
  ["a lone surrogate", "system_test_change", { text: "\ud800" }, "INPUT_INVALID", "text"],
  ["a NUL", "system_test_change", { text: "a\0b" }, "INPUT_INVALID", "text"],
  ["a prototype key", "system_test_change", JSON.parse('{"__proto__":{"text":"a"}}'), "INPUT_INVALID", "__proto__"],
  ["an array for an object", "system_test_change", [], "INPUT_INVALID", ""],
] as const) {
  test(`${what} is refused and recorded, and nothing else happens`, async () => {
    const { gate, request, asked, entries, rows } = fakeGate();
    const refusal = await runAction(gate, request(action, input)).then(
      () => assert.fail("it ran"),
      (error: HubError) => error,
    );
    assert.equal(refusal.code, code);
    if (path !== undefined) assert.equal(refusal.path, path);
    assert.deepEqual(
      entries.map((e) => e.outcome?.code),
      [code],
    );
    assert.equal(refusal.receipt?.callId, entries[0]?.record.callId); // the caller can cite it
    assert.deepEqual([asked, rows], [[], []]);
  });
}

test("nesting without end is refused without a stack overflow; 60 levels are read", async () => {
  const { gate, request } = fakeGate();
  const deep = (n: number): unknown => Array.from({ length: n }).reduce<unknown>((inner) => [inner], 1);
  await assert.rejects(runAction(gate, request("system_test_change", { nested: deep(200_000) })), {
    code: "INPUT_INVALID",
    message: /deeper/,
  });
  await assert.rejects(runAction(gate, request("system_test_change", { nested: deep(60) })), {
    code: "INPUT_INVALID",
    path: "nested",
  });
});

for (const [outcome, code] of [
  ["forbidden", "FORBIDDEN"],
  ["not-permitted", "FORBIDDEN"],
  ["failed", "POLICY_FAILED"],
] as const) {
  test(`a decision "${outcome}" refuses before anything begins`, async () => {
    const { gate, request, asked, entries, set } = fakeGate();
    set.decision = { outcome, policies: [{ id: "no", why: "not here" }], words: "not here" };
    await assert.rejects(runAction(gate, request("system_test_change")), { code });
    assert.deepEqual(asked, ["authorise"]);
    assert.deepEqual(entries[0]?.record.policy?.decidedBy, ["no"]);
  });
}

test("a rule that forbids refuses a permitted call", async () => {
  const { gate, request, set, asked } = fakeGate();
  set.demand = { ...AUTO, kind: "forbid", rules: ["freeze"] };
  await assert.rejects(runAction(gate, request("system_test_change")), { code: "POLICY_FORBIDS" });
  assert.ok(!asked.includes("intent"));
});

test("an approval is asked for, and the call's outcome says so", async () => {
  const { gate, request, set, asked, entries } = fakeGate();
  set.demand = APPROVE;
  const result = await runAction(gate, request("system_test_change"));
  assert.equal(result.status, "pending");
  assert.deepEqual(asked, ["authorise", "intervene", "open", "stage", "sequence"]);
  assert.equal(entries.at(-1)?.outcome?.code, "APPROVAL_PENDING");
});

test("a client that cannot be asked to confirm gets an approval request; one that can is asked, once", async () => {
  const { gate, request, set, rows } = fakeGate();
  set.demand = CONFIRM;
  assert.equal((await runAction(gate, request("system_test_change"))).status, "pending");
  const asked = await runAction(gate, request("system_test_change", { text: "c" }, { canConfirm: true }));
  assert.ok(asked.status === "confirm");
  const again = (input: unknown, accepted = true, state = asked.state) =>
    runAction(gate, request("system_test_change", input, { canConfirm: true, confirmation: { state, accepted } }));
  await assert.rejects(again({ text: "c" }, false), { code: "CONFIRMATION_DECLINED" });
  await assert.rejects(again({ text: "other" }), { code: "CONFIRMATION_INVALID" });
  await assert.rejects(again({ text: "c" }, true, { ...asked.state, principal: "someone" }), {
    code: "CONFIRMATION_INVALID",
  });
  await assert.rejects(again({ text: "c" }, true, { ...asked.state, expiresAt: "2026-01-02T03:04:00.000Z" }), {
    code: "CONFIRMATION_INVALID",
  });
  assert.equal((await again({ text: "c" })).status, "done");
  await assert.rejects(again({ text: "c" }), { code: "APPROVAL_SPENT" });
  assert.deepEqual(rows, ["c"]);
});

test("a target that moved while the call was judged is not changed", async () => {
  const { gate, request, set, rows, entries } = fakeGate();
  const intent = gate.journal.intent.bind(gate.journal);
  gate.journal.intent = async (record, spend) => {
    await intent(record, spend);
    set.targetVersion = "2";
  };
  await assert.rejects(runAction(gate, request("system_test_change")), { code: "CONFLICT" });
  assert.deepEqual(rows, []);
  assert.equal(entries.at(-1)?.outcome?.code, "CONFLICT");
});

test("a run's name is short and plain, since it stands in every receipt", async () => {
  const { gate, request, entries } = fakeGate();
  for (const runId of ["", "two words", "x".repeat(201), "\u202e"])
    await assert.rejects(runAction(gate, request("system_test_read", {}, { runId })), {
      code: "INPUT_INVALID",
      path: "runId",
    });
  assert.ok(entries.every(({ record }) => record.runId === undefined));
  assert.equal((await runAction(gate, request("system_test_read", {}, { runId: "job-7/a" }))).status, "done");
});

test("a rule that asks people does not hold up a read", async () => {
  const { gate, request, set } = fakeGate();
  set.demand = APPROVE;
  assert.equal((await runAction(gate, request("system_test_read"))).status, "done");
});

test("a recorded outcome is answered before anybody is asked again", async () => {
  const { gate, request, set } = fakeGate();
  const call = (input: unknown) =>
    runAction(gate, request("system_test_change", input, { idempotencyKey: "k", canConfirm: true }));
  await call({ text: "a" });
  set.demand = CONFIRM;
  const again = await call({ text: "a" });
  assert.ok(again.status === "done" && again.replayed);
  await assert.rejects(call({ text: "b" }), { code: "IDEMPOTENCY_MISMATCH" });
});

test("an output that does not fit its schema takes the effect back", async () => {
  const { gate, request, set, rows, entries } = fakeGate();
  set.answer = 5;
  await assert.rejects(runAction(gate, request("system_test_change")), { code: "OUTPUT_INVALID" });
  assert.deepEqual(rows, []);
  assert.deepEqual(
    entries.map((e) => [e.phase, e.outcome?.code]),
    [
      ["intent", undefined],
      ["outcome", "OUTPUT_INVALID"],
    ],
  );
});

test("a caller that goes away during the call gets nothing done, and the outcome says so", async () => {
  const { gate, request, set, rows, entries } = fakeGate();
  const gone = new AbortController();
  set.during = async () => gone.abort();
  await assert.rejects(runAction(gate, request("system_test_change", {}, { signal: gone.signal })), {
    code: "CANCELLED",
  });
  assert.deepEqual(rows, []);
  assert.equal(entries.at(-1)?.outcome?.code, "CANCELLED");
});

test("a call past its time limit is aborted with TIMEOUT", async () => {
  const { gate, request, set, rows } = fakeGate();
  set.during = (signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  await assert.rejects(runAction(gate, request("system_test_change")), { code: "TIMEOUT" });
  assert.deepEqual(rows, []);
});

for (const [what, goneAway] of [
  ["that took too long", false],
  ["whose caller went away meanwhile", true],
] as const) {
  test(`a change ${what}, and of which nobody knows whether it was committed, is left to the journal as that`, async () => {
    const { gate, request, entries, rows } = fakeGate();
    const caller = new AbortController();
    const abandoned: string[] = [];
    const cut: typeof gate = {
      ...gate,
      journal: { ...gate.journal, abandon: (_record, outcome) => void abandoned.push(outcome.code) },
      store: {
        ...gate.store,
        async transact(account, fn, signal) {
          await gate.store.transact(account, fn, signal);
          const aborted = new Promise((resolve) => signal?.addEventListener("abort", resolve));
          if (goneAway) caller.abort();
          await aborted;
          throw new HubError("AMBIGUOUS", "the answer to COMMIT was lost");
        },
      },
    };
    const told = runAction(cut, request("system_test_change", { text: "a" }, { signal: caller.signal }));
    await assert.rejects(told, { code: "AMBIGUOUS" });
    assert.deepEqual([rows, abandoned], [["a"], ["AMBIGUOUS"]]);
    assert.deepEqual(
      entries.map(({ phase, outcome }) => [phase, outcome?.code]),
      [
        ["intent", undefined],
        ["outcome", "OK"], // staged beside its effect
      ],
      "and nothing else is said of how it ended",
    );
  });
}

for (const [code, left] of [
  ["AMBIGUOUS", [["abandoned", "AMBIGUOUS"]]],
  ["APPROVAL_CAP_REACHED", [["noted", "APPROVAL_CAP_REACHED"]]],
] as const) {
  test(`a request for approval that ends with ${code} is ${left[0][0]}`, async () => {
    const { gate, request, set } = fakeGate();
    set.demand = APPROVE;
    const told: [string, string][] = [];
    const cut: typeof gate = {
      ...gate,
      journal: {
        ...gate.journal,
        abandon: (_record, outcome) => void told.push(["abandoned", outcome.code]),
        note: (_record, outcome) => void told.push(["noted", outcome.code]),
      },
      store: { ...gate.store, transact: () => Promise.reject(new HubError(code, "no")) },
    };
    await assert.rejects(runAction(cut, request("system_test_change")), { code });
    assert.deepEqual(told, left);
  });
}

test("a request for approval that stands, and whose outcome cannot be sequenced now, is not noted as refused", async () => {
  const { gate, request, set } = fakeGate();
  set.demand = APPROVE;
  const told: string[] = [];
  const sequence = () => Promise.reject(new HubError("JOURNAL_UNAVAILABLE", "it is kept, and written later"));
  const note = (...[, { code }]: Parameters<typeof gate.journal.note>) => void told.push(code);
  const cut: typeof gate = { ...gate, journal: { ...gate.journal, sequence, note } };
  await assert.rejects(runAction(cut, request("system_test_change")), { code: "JOURNAL_UNAVAILABLE" });
  assert.deepEqual(told, [], "its staged outcome is the one that counts");
  set.demand = { ...APPROVE, kind: "forbid" };
  await assert.rejects(runAction(cut, request("system_test_change")), { code: "POLICY_FORBIDS" });
  assert.deepEqual(told, ["POLICY_FORBIDS"]);
});

test("a handler that never watches its signal is left behind at its time limit", async () => {
  const { gate, request, set, entries } = fakeGate();
  set.during = () => new Promise(() => {});
  await assert.rejects(runAction(gate, request("system_test_change")), { code: "TIMEOUT" });
  assert.equal(entries.at(-1)?.outcome?.code, "TIMEOUT");
});

test("an unknown error is told without its cause", async () => {
  const { gate, request, set } = fakeGate();
  set.during = async () => {
    throw new TypeError("password=hunter2");
  };
  await assert.rejects(
    runAction(gate, request("system_test_change")),
    (error: HubError) => error.code === "INTERNAL" && !error.message.includes("hunter2"),
  );
});

test("one idempotency key has one effect", async () => {
  const { gate, request, rows, set } = fakeGate();
  const call = (input: unknown, key = "k1") =>
    runAction(gate, request("system_test_change", input, { idempotencyKey: key }));
  const first = await call({ text: "a" });
  const second = await call({ text: "a" });
  assert.ok(first.status === "done" && second.status === "done");
  assert.equal(second.replayed, true);
  assert.deepEqual(second.receipt, first.receipt);
  await assert.rejects(call({ text: "b" }), { code: "IDEMPOTENCY_MISMATCH" });
  await assert.rejects(call({ text: "a" }, "two words"), { code: "INPUT_INVALID" });
  set.decision = { outcome: "not-permitted", policies: [], words: "no longer" };
  await assert.rejects(call({ text: "a" }), { code: "FORBIDDEN" });
  assert.deepEqual(rows, ["a"]);
});

for (const [where, fails, awayAt, code] of [
  ["its intent could not be written", "intent", 2, "JOURNAL_UNAVAILABLE"],
  ["it failed", "handler", 3, "OUTPUT_INVALID"],
] as const) {
  test(`where ${where} and the database is away to its key too, the journal is left to end the call`, async () => {
    const { gate, request, set } = fakeGate();
    if (fails === "handler") set.answer = 5;
    const abandoned: string[] = [];
    let transactions = 0;
    const broken: typeof gate = {
      ...gate,
      journal: {
        ...gate.journal,
        ...(fails === "intent" && { intent: () => Promise.reject(new HubError(code, "away")) }),
        abandon: (_record, outcome) => void abandoned.push(outcome.code),
      },
      store: {
        ...gate.store,
        transact: (account, fn) =>
          ++transactions === awayAt
            ? Promise.reject(new HubError("STORE_UNAVAILABLE", "away"))
            : gate.store.transact(account, fn),
      },
    };
    await assert.rejects(runAction(broken, request("system_test_change", {}, { idempotencyKey: "k" })), { code });
    assert.equal(transactions, awayAt);
    assert.deepEqual(abandoned, [code]);
  });
}

test("a failure is kept under its key too; a call under way answers IN_PROGRESS", async () => {
  const { gate, request, set } = fakeGate();
  const call = (key: string) => runAction(gate, request("system_test_change", {}, { idempotencyKey: key }));
  set.answer = 5;
  await assert.rejects(call("k1"), { code: "OUTPUT_INVALID" });
  set.answer = "done";
  await assert.rejects(call("k1"), { code: "OUTPUT_INVALID" });
  let release = () => {};
  const started = new Promise<void>((begun) => {
    set.during = () => new Promise((resolve) => ((release = resolve), begun()));
  });
  const running = call("k2");
  await started;
  await assert.rejects(call("k2"), { code: "IN_PROGRESS" });
  release();
  assert.equal((await running).status, "done");
});
