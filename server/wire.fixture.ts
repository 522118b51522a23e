/** For tests of what a running hub refuses: requests as they go over the wire, and what they leave in the journal. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { eventually, type TestHub, type TestHubs } from "./test-hub.ts";

export type Answer = Readonly<Record<string, unknown>>;

export interface Sent {
  readonly token?: string | undefined;
  /** As it is, where it is text or bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the action's own. */
  readonly path?: string;
}

export interface Told {
  /** Of the request; its receipts name it. */
  readonly traceId: string;
  readonly status: number;
  readonly headers: Headers;
  readonly answer: Answer;
}

interface Receipt {
  readonly account: string;
  readonly action: string;
  readonly phase: string;
  readonly code: string;
}

export interface Expected {
  readonly code: string;
  readonly path?: string;
  /** What the receipt says was called; the action where a call came to the gate. */
  readonly recordedAs?: string;
  /** Where it is recorded; the hub's own account if left out. */
  readonly account?: string;
}

/** Bare requests to one hub. */
export class Wire {
  readonly hubs: TestHubs;
  readonly hub: TestHub;

  constructor(hubs: TestHubs, hub: TestHub) {
    this.hubs = hubs;
    this.hub = hub;
  }

  /** One request of a trace of its own. */
  async send(action: string, { token, body = {}, headers = {}, path }: Sent): Promise<Told> {
    const traceId = randomBytes(16).toString("hex");
    const response = await fetch(this.hub.at(path ?? `/v1/actions/${action}`), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        traceparent: `00-${traceId}-${"1".repeat(16)}-01`,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
    return {
      traceId,
      status: response.status,
      headers: response.headers,
      answer: (await response.json()) as Answer,
    };
  }

  /** A tool call over MCP, revision 2026-07-28, by a client whose user can be asked. */
  callTool(name: string, args: Answer, { token, round = {} }: { token: string; round?: Answer }): Promise<Told> {
    const version = "2026-07-28";
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": version,
      "io.modelcontextprotocol/clientInfo": { name: "wire", version: "0" },
      "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } },
    };
    const headers = {
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": version,
      "mcp-method": "tools/call",
      "mcp-name": name,
    };
    const params = { name, arguments: args, ...round, _meta };
    return this.send(name, {
      path: "/mcp",
      token,
      headers,
      body: { jsonrpc: "2.0", id: 1, method: "tools/call", params },
    });
  }

  /** Receipts of one trace, once its call has its outcome. */
  receiptsOf(traceId: string): Promise<Receipt[]> {
    return eventually(`receipt of the trace ${traceId}`, async () => {
      const rows = await this.hubs.sql<Receipt>(
        `select account_id as account, action, phase, code from receipt
         where position($1::bytea in statement) > 0 order by sequence`,
        [Buffer.from(traceId)],
      );
      return rows.some(({ phase }) => phase === "outcome") ? rows : undefined;
    });
  }

  /** Sends what has to be refused, and checks all that a refusal is: its code, its sentence, its receipt, and that is all. */
  async refused(what: string, action: string, sent: Sent, expected: Expected): Promise<Answer> {
    const before = await this.#everything();
    const { traceId, status, answer } = await this.send(action, sent);
    assert.equal(answer.code, expected.code, `${what}: ${JSON.stringify(answer)}`);
    assert.ok(status >= 400, what);
    assert.match(String(answer.detail), /^[\w`].{8,}/, what);
    if (expected.path !== undefined) assert.equal(answer.path, expected.path, what);
    const outcomes = (await this.receiptsOf(traceId)).filter(({ phase }) => phase === "outcome");
    const { code, recordedAs = action, account = this.hubs.accountId } = expected;
    assert.deepEqual(outcomes, [{ account, action: recordedAs, phase: "outcome", code }], what);
    assert.equal(await this.#everything(), before, `${what}: something happened`);
    return answer;
  }

  /** The same request as it should be. */
  async accepted(action: string, sent: Sent): Promise<Answer> {
    const { traceId, answer } = await this.send(action, sent);
    assert.equal(answer.status, "done", JSON.stringify(answer));
    assert.equal((await this.receiptsOf(traceId)).at(-1)?.code, "OK");
    return answer.output as Answer;
  }

  /** A digest of what calls change: every tenant's rows but the journal's own, and when a token was last used. */
  async #everything(): Promise<string> {
    const tables = await this.hubs.sql<{ name: string }>(
      `select table_name as name from information_schema.tables
       where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not in ('receipt', 'lane', 'lane_commit',
         'lane_node', 'lane_integrated', 'log_entry', 'account_log', 'in_flight', 'outcome_staged', 'journal_epoch', 'rate_bucket')`,
    );
    assert.ok(tables.length > 10);
    const rows = tables.map(
      ({ name }) => `select '${name}' as t, (to_jsonb(x) - 'last_used_at' - 'position')::text as r from "${name}" x`,
    );
    const [sum] = await this.hubs.sql<{ md5: string }>(
      `select md5(string_agg(t || r, '|' order by t, r)) as md5 from (${rows.join(" union all ")}) as all_rows`,
    );
    return String(sum?.md5);
  }
}
