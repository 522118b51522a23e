import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { codeOf, metaOf, outputOf } from "./called.ts";
import type { Answer, Called, OutsideClient } from "./clients.ts";
import type { OutsideHub } from "./hub.ts";

type Input = Record<string, unknown>;

/** An agent with a client, and Ada, who answers for it: she approves with the command what has to wait for a person. */
export class OutsideAgent {
  readonly #hub: OutsideHub;
  readonly #client: OutsideClient;

  constructor(hub: OutsideHub, client: OutsideClient) {
    this.#hub = hub;
    this.#client = client;
  }

  call(name: string, input: Input = {}): Promise<Called> {
    return this.#client.callTool({ name, arguments: input });
  }

  async does(name: string, input: Input = {}): Promise<Answer> {
    return outputOf(await this.call(name, input));
  }

  /** The code that a call is refused with. */
  async refused(name: string, input: Input = {}): Promise<string> {
    return codeOf(await this.call(name, input));
  }

  /** Asks for what waits for a person, who approves it; answers with the output of the call that was carried out. */
  async asks(name: string, input: Input): Promise<Answer> {
    const called = await this.call(name, input);
    assert.equal(codeOf(called), "APPROVAL_PENDING", called.content[0]?.text);
    const { requestId } = metaOf(called, "countersign/approval");
    const approved = await this.#hub.run("approve", requestId, "--yes");
    assert.equal(approved.code, 0, approved.err);
    const request = await this.until("system_approval_get_request", { requestId }, ({ state }) => {
      return !["open", "approved", "executing"].includes(state);
    });
    assert.equal(request.state, "executed", `${request.state}: ${request.yours?.message}`);
    return request.yours.result.output;
  }

  /** Reads until what it reads is so. */
  async until(name: string, input: Input, isSo: (output: Answer) => boolean): Promise<Answer> {
    for (;;) {
      const output = await this.does(name, input);
      if (isSo(output)) return output;
      await pause(50);
    }
  }
}
