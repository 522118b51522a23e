import { createHash, randomBytes, randomUUID } from "node:crypto";
import * as z from "zod";
import type { ActionRequest, ActionResult, ConfirmationState, ReceiptReference } from "../action/action-request.ts";
import type { Caller } from "../action/caller.ts";
import { type Action, defineAction } from "../action/define-action.ts";
import { createRegistry, type RegisteredAction } from "../action/registry.ts";
import type { Channel, Risk } from "../action/risk.ts";
import { createLog } from "../config/log.ts";
import { HubError } from "../errors.ts";
import type { HubDoor, Readiness, RefusalFacts } from "./hub-door.ts";

/** For tests: a hub of a few actions that behave as the gate's do, and that tells what it was asked. */
export class FakeDoor implements HubDoor {
  readonly version = "0.0.0-test";
  readonly log;
  readonly sealKey = randomBytes(32);
  readonly lines: string[] = [];
  readonly runs: ActionRequest[] = [];
  readonly refusals: { code: string; path: string | undefined; facts: RefusalFacts }[] = [];
  /** Where those were refused whom nobody knew. */
  readonly strangers: Channel[] = [];
  readonly principals = new Map<string, Caller>();
  readonly banned = new Set<string>();
  readonly spent = new Set<string>();
  /** What `system_test_wait` waits for. */
  readonly gate = Promise.withResolvers<void>();
  readiness: Readiness = { ok: true, checks: { database: { ok: true }, journal: { ok: true }, keys: { ok: true } } };
  confirmationValidMs = 60_000;
  #started: (() => void) | undefined;
  #onIdentified: () => void = () => {};

  constructor() {
    this.log = createLog({ level: "trace", format: "json" }, { write: (line: string) => void this.lines.push(line) });
  }

  /** A new principal and its token. */
  admit(name: string): string {
    const token = `cs_${name}_${randomBytes(32).toString("base64url")}`;
    this.principals.set(token, callerCalled(name));
    return token;
  }

  /** Resolves when callers have been identified so many times. */
  identified(times: number): Promise<void> {
    return new Promise((resolve) => {
      let left = times;
      this.#onIdentified = () => {
        if (--left === 0) resolve();
      };
    });
  }

  /** Resolves when the next call has reached the gate. */
  nextRun(): Promise<void> {
    return new Promise((resolve) => {
      this.#started = resolve;
    });
  }

  async identify(token: string | undefined, channel: Channel = "mcp", mayRecord = () => true): Promise<Caller> {
    const caller = this.principals.get(token ?? "");
    if (!caller) {
      if (mayRecord()) this.strangers.push(channel);
      throw new HubError("UNAUTHENTICATED", "This hub does not know that token.");
    }
    if (this.banned.has(caller.principal.id)) throw new HubError("PRINCIPAL_BANNED", "This principal is banned.");
    this.#onIdentified();
    return caller;
  }

  /** Codes of claims, and for what. */
  readonly claims = new Map<string, { readonly caller: Caller; readonly credential: string } | HubError>();

  async claimant(code: string): Promise<{ readonly caller: Caller; readonly credential: string }> {
    const found = this.claims.get(code) ?? new HubError("NOT_FOUND", "There is no such claim.");
    if (found instanceof HubError) throw found;
    return found;
  }

  async visible(_caller: Caller, channel: Channel): Promise<readonly RegisteredAction[]> {
    return registry.list().filter(({ action }) => action.channels.includes(channel));
  }

  action(name: string): RegisteredAction | undefined {
    return registry.get(name);
  }

  async mayRead(_caller: Caller, action: string): Promise<boolean> {
    return registry.get(action) !== undefined;
  }

  async current(caller: Caller): Promise<Caller | undefined> {
    return this.banned.has(caller.principal.id) ? undefined : caller;
  }

  async follow(): Promise<() => void> {
    return () => {};
  }

  refuse(error: HubError, facts: RefusalFacts): void {
    this.refusals.push({ code: error.code, path: error.path, facts });
  }

  async ready(): Promise<Readiness> {
    return this.readiness;
  }

  async run(request: ActionRequest): Promise<ActionResult> {
    this.runs.push(request);
    this.#started?.();
    const entry = registry.get(request.action);
    if (!entry?.action.channels.includes(request.channel))
      throw new HubError("ACTION_UNKNOWN", "There is no such action.");
    const parsed = entry.action.input.safeParse(request.input);
    if (!parsed.success)
      throw new HubError("INPUT_INVALID", "text: expected a text", {
        path: parsed.error.issues[0]?.path.join(".") ?? "",
      });
    const { text = "" } = parsed.data as { text?: string };
    switch (request.action) {
      case "system_test_refuse":
        throw new HubError("FORBIDDEN", "No policy permits this.", { path: "text", details: { policies: [] } });
      case "system_test_fail":
        throw new TypeError("the inside of the hub");
      case "system_test_wait":
        await Promise.race([this.gate.promise, aborted(request.signal)]);
        return done(text);
      case "system_test_approve":
        return pending(request.action);
      case "system_test_wipe":
        return this.#wipe(request, text);
      default:
        return done(text);
    }
  }

  #wipe(request: ActionRequest, text: string): ActionResult {
    const expected = this.#bind(request);
    const { confirmation } = request;
    if (!confirmation) {
      if (!request.canConfirm) return pending(request.action);
      return { status: "confirm", message: `Wipe ${text}?`, state: { ...expected, id: randomUUID() } };
    }
    if (!confirmation.accepted) throw new HubError("CONFIRMATION_DECLINED", "The caller declined.");
    const { id, expiresAt: _, ...bound } = confirmation.state;
    const { id: __, expiresAt: ___, ...wanted } = expected;
    if (JSON.stringify(bound) !== JSON.stringify(wanted) || this.spent.has(id))
      throw new HubError("CONFIRMATION_INVALID", "This confirmation is for another call, or was used.");
    this.spent.add(id);
    return done(text);
  }

  #bind({ action, caller, input }: ActionRequest): ConfirmationState {
    return {
      id: "",
      hub: "hub",
      principal: caller.principal.id,
      action,
      schemaDigest: registry.get(action)?.schemaDigest ?? "",
      inputMac: createHash("sha256").update(JSON.stringify(input)).digest("hex"),
      expiresAt: new Date(Date.now() + this.confirmationValidMs).toISOString(),
    };
  }
}

const READ: Risk & { effect: "read" } = { effect: "read", approval: "none", loosens: false };
const DESTROY: Risk & { effect: "destructive" } = { effect: "destructive", approval: "confirm", loosens: true };

const registry = createRegistry([
  testAction("echo", READ, ["mcp", "http"]),
  testAction("refuse", READ, ["mcp", "http"]),
  testAction("fail", READ, ["mcp", "http"]),
  testAction("wait", READ, ["mcp", "http"]),
  testAction("approve", DESTROY, ["mcp", "http"]),
  testAction("wipe", DESTROY, ["mcp", "http"]),
  testAction("claim", DESTROY, ["http"]),
]);

function testAction(verb: string, risk: Risk, channels: Channel[]): Action {
  return defineAction({
    name: `system_test_${verb}`,
    title: `Test ${verb}`,
    description: `For tests: ${verb}.`,
    permission: `system.test.${verb}`,
    risk: risk as Risk & { effect: "read" },
    input: z.strictObject({ text: z.string().optional() }),
    output: z.object({ echoed: z.string() }),
    errors: [],
    channels,
    policyInput: [],
    resource: ["Account"],
    target: "account",
    secretOutput: false,
    timeLimitMs: 10_000,
    summary: ({ echoed }) => `Echoed ${echoed}`,
    handler: async ({ text }) => ({ echoed: text ?? "" }),
  });
}

function done(text: string): ActionResult {
  return { status: "done", output: { echoed: text }, summary: `Echoed ${text}`, receipt: receipt() };
}

function pending(action: string): ActionResult {
  const approval = {
    requestId: "01890000-0000-7000-8000-000000000001",
    action,
    needs: "one other person",
    headline: "Wipe a volume",
    approvalExpiresAt: new Date("2030-01-01T00:00:00Z"),
    merged: false,
  };
  return { status: "pending", approval, receipt: receipt() };
}

function receipt(): ReceiptReference {
  const callId = randomUUID();
  return { id: `${callId}.outcome`, callId, salt: "c2FsdA==" };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new HubError("CANCELLED", "The call was cancelled."));
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}

function callerCalled(name: string): Caller {
  return {
    account: { id: `account-of-${name}`, name: "test", profile: "solo", isHub: false },
    principal: { id: `principal-${name}`, kind: "agent", name, roles: [] },
    policy: { version: 1, hash: "0".repeat(64) },
    tokenId: `token-of-${name}`,
  };
}
