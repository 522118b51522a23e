import { createHmac } from "node:crypto";
import * as z from "zod";
import type { CallOutcome, CallRecord } from "../domain/evidence/call-record.ts";
import type { ActionRequest } from "./action-request.ts";
import type { Demand, HeldCall, Settlement } from "./approvals.ts";
import type { Decision } from "./authorizer.ts";
import type { Caller } from "./caller.ts";
import { defineAction } from "./define-action.ts";
import type { Gate } from "./gate.ts";
import { OnlineCalls } from "./online-calls.ts";
import { createRegistry } from "./registry.ts";
import type { Reader, Transaction } from "./store.ts";

/** For the gate's own tests: guards that write down in which order they were asked, and rows that are a list. */
export const ACCOUNT = "018f0000-0000-7000-8000-000000000001";
export const HUB = "018f0000-0000-7000-8000-0000000000ff";

export const caller: Caller = {
  account: { id: ACCOUNT, name: "test", profile: "team", isHub: false },
  principal: {
    id: "018f0000-0000-7000-8000-00000000000a",
    kind: "agent",
    name: "agent",
    roles: ["agent"],
    ownerPersonId: "018f0000-0000-7000-8000-00000000000b",
  },
  policy: { version: 1, hash: "policy-hash" },
};

export const PERMITTED: Decision = {
  outcome: "permitted",
  policies: [{ id: "p", why: "because" }],
  words: "permitted",
};
export const AUTO: Demand = { kind: "auto", people: 0, holding: [], rules: [] };

export function fakeGate() {
  const asked: string[] = [];
  const entries: { phase: "intent" | "outcome"; record: CallRecord; outcome?: CallOutcome }[] = [];
  const rows: string[] = [];
  const keys = new Map<
    string,
    { callId: string; inputMac: Buffer; state: "running" | "done" | "failed"; outcome?: string }
  >();
  const settled: Settlement[] = [];
  const spent = new Set<string>();
  const set = {
    decision: PERMITTED,
    demand: AUTO,
    held: undefined as HeldCall | undefined,
    targetVersion: "1",
    /** What the change answers; anything but a string does not fit its schema. */
    answer: "done" as unknown,
    during: async (_signal: AbortSignal): Promise<void> => {},
  };

  const base = {
    title: "t",
    description: "d",
    errors: [],
    channels: ["mcp"],
    policyInput: [],
    resource: ["Account"],
    secretOutput: false,
    timeLimitMs: 200,
  } as const;
  const input = z.strictObject({
    text: z.string().max(20).default("x"),
    nested: z.strictObject({ n: z.int() }).optional(),
  });
  const registry = createRegistry([
    defineAction({
      ...base,
      name: "system_test_read",
      permission: "system.test.read",
      risk: { effect: "read", approval: "none", loosens: false },
      input,
      output: z.strictObject({ seen: z.array(z.string()) }),
      target: "account",
      summary: () => "read",
      handler: async () => (asked.push("handler"), { seen: [...rows] }),
    }),
    defineAction({
      ...base,
      name: "system_test_change",
      permission: "system.test.write",
      risk: { effect: "write", approval: "none", loosens: false },
      input,
      output: z.strictObject({ wrote: z.string() }),
      target: () => ({ type: "Account", id: ACCOUNT, version: set.targetVersion }),
      summary: () => "changed",
      handler: async ({ text }, { call }) => {
        asked.push("handler");
        await set.during(call.signal);
        rows.push(text);
        return { wrote: set.answer as string };
      },
    }),
    defineAction({
      ...base,
      name: "system_test_hidden",
      permission: "system.test.hidden",
      risk: { effect: "read", approval: "none", loosens: false },
      channels: ["http"],
      input,
      output: z.strictObject({}),
      target: "account",
      summary: () => "",
      handler: async () => ({}),
    }),
  ]);

  const transaction = {
    targets: { lock: async () => {} },
    outcomes: { stage: () => void asked.push("stage") },
    idempotency: {
      claim: async (scope: { key: string }, row: { callId: string; inputMac: Buffer }) => {
        const held = keys.get(scope.key);
        if (!held) keys.set(scope.key, { ...row, state: "running" });
        return held;
      },
      find: async (scope: { key: string }) => keys.get(scope.key),
      settle: async (scope: { key: string }, callId: string, state: "done" | "failed", outcome: string) => {
        const held = keys.get(scope.key);
        if (held?.callId !== callId) return false;
        keys.set(scope.key, { ...held, state, outcome });
        return true;
      },
      release: async (scope: { key: string }) => void keys.delete(scope.key),
    },
  } as unknown as Transaction;

  const gate: Gate = {
    hubAccountId: HUB,
    registry,
    identifier: { byToken: async () => ({ caller }), byPrincipal: async () => ({ caller }) },
    authorizer: {
      decide: async () => (asked.push("authorise"), set.decision),
      demand: async () => (asked.push("intervene"), set.demand),
      visible: async () => new Set(["system_test_read"]),
      permissionSet: async ({ principal }) => principal.id,
    },
    approvals: {
      open: async (_tx, ask) => {
        asked.push("open");
        return {
          requestId: "r",
          action: ask.action,
          needs: "one person",
          headline: ask.preview.headline,
          approvalExpiresAt: ask.now,
          merged: false,
        };
      },
      take: async () => set.held,
      settle: async (_tx, _held, settlement) => void settled.push(settlement),
      recheck: async () => void asked.push("recheck"),
    },
    online: new OnlineCalls(),
    idempotency: {
      ttlMs: 60_000,
      seal: async (_account, _call, outcome) => JSON.stringify(outcome),
      open: async (_account, _call, sealed) => JSON.parse(sealed),
    },
    journal: {
      intent: async (record, spend) => {
        if (spend) {
          const { HubError } = await import("../errors.ts");
          if (spent.has(spend.id)) throw new HubError("APPROVAL_SPENT", "spent");
          spent.add(spend.id);
        }
        asked.push("intent");
        entries.push({ phase: "intent", record: { ...record } });
      },
      stage: async (record, outcome) => {
        entries.push({ phase: "outcome", record: { ...record }, outcome });
        const seal = { version: 1, mac: Buffer.alloc(32) };
        const { code, at } = outcome;
        return { ...record, epoch: 1, principalId: undefined, code, at, statement: "", seal };
      },
      sequence: async () => void asked.push("sequence"),
      outcome: async (record, outcome) => void entries.push({ phase: "outcome", record: { ...record }, outcome }),
      note: (record, outcome) => void entries.push({ phase: "outcome", record: { ...record }, outcome }),
      abandon: (record, outcome) => void entries.push({ phase: "outcome", record: { ...record }, outcome }),
      epoch: async () => 1,
    },
    store: {
      read: (_account, fn) => fn({} as Reader),
      transact: async (_account, fn) => {
        const before = [...rows];
        const staged = entries.length;
        try {
          return await fn(transaction);
        } catch (error) {
          rows.splice(0, rows.length, ...before);
          entries.splice(staged);
          throw error;
        }
      },
    },
    services: {} as Gate["services"],
    inputMac: async (account, action, canonical) =>
      createHmac("sha256", account).update(`${action}\0${canonical}`).digest(),
    now: () => new Date("2026-01-02T03:04:05Z"),
    report: () => {},
  };
  const request = (action: string, given: unknown = {}, more: Partial<ActionRequest> = {}): ActionRequest => ({
    action,
    input: given,
    caller,
    channel: "mcp",
    canConfirm: false,
    signal: new AbortController().signal,
    ...more,
  });
  return { gate, request, asked, entries, rows, settled, set };
}
