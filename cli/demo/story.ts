import type { CallToolResult } from "@modelcontextprotocol/client";
import * as z from "zod";
import { HubError } from "../../server/errors.ts";
import { EXIT } from "../exit-codes.ts";
import type { Narrator } from "./narrator.ts";
import type { Person, Ran } from "./person.ts";
import type { ScratchAccount } from "./scratch-account.ts";
import { changeOneByte } from "./scratch-database.ts";
import { ADAS_POLICY, AGENTS_POLICY, MODULE, TEMPLATE } from "./wishes.ts";

const meta = z.object({
  "countersign/error": z.object({ code: z.string() }).optional(),
  "countersign/approval": z.object({ requestId: z.string() }).optional(),
});

/**
 * The whole job, told step by step. Every call is made as it is shown. Throws where one ends otherwise than told, and the signal's
 * reason between two calls.
 */
export async function tellStory(account: ScratchAccount, tell: Narrator, signal: AbortSignal): Promise<void> {
  const story = new Story(account, tell, signal);
  await story.meet();
  await story.refuse();
  await story.gather();
  await story.ask();
  await story.agentDecides();
  await story.sign();
  await story.readBack();
  await story.buildOn();
  await story.twoPeople();
  await story.receipts();
  await story.tamper();
}

class Story {
  readonly #account: ScratchAccount;
  readonly #tell: Narrator;
  readonly #signal: AbortSignal;
  #request = "";
  #executionCallId = "";

  constructor(account: ScratchAccount, tell: Narrator, signal: AbortSignal) {
    this.#account = account;
    this.#tell = tell;
    this.#signal = signal;
  }

  async meet(): Promise<void> {
    this.#tell.step(
      "Who am I?",
      "Every caller is somebody. The agent is a real MCP client with a token of its own; it answers to Ada, whose " +
        "hub this is.",
    );
    await this.#agent("system_identity_whoami", {});
  }

  async refuse(): Promise<void> {
    this.#tell.step(
      "A refused call",
      "Nothing is allowed that no policy permits. The agent tries to change the policy that governs it; the refusal " +
        "names what decided, and is recorded like every other call.",
    );
    await this.#agent("system_policy_put", { document: AGENTS_POLICY, baseVersion: 1 }, { code: "FORBIDDEN" });
  }

  async gather(): Promise<void> {
    const { ada, ben, cleo } = this.#account;
    this.#tell.step(
      "People join, and the account becomes a team",
      "Ada is alone, so her own signature counts for everything so far (profile solo). Ben and Cleo join by one-time " +
        "codes; each makes a signing key that never leaves their own folder. In a team, who asks never approves.",
    );
    for (const [person, name] of [
      [ben, "Ben"],
      [cleo, "Cleo"],
    ] as const) {
      const lines = person === ben ? {} : { lines: 2 };
      const invited = await this.#at(ada, ["invite", name, "--roles", "admin", "--yes"], lines);
      const [, code = "", rootKey = ""] = /join (\S+) --root-key (\S+)/.exec(invited.said.join("\n")) ?? [];
      await this.#at(person, ["join", code, "--root-key", rootKey]);
    }
    const asked = await this.#at(ada, ["call", "system_identity_set_profile", '{"profile":"team"}'], {
      ending: EXIT.pending,
    });
    await this.#at(ada, ["approve", requestIn(asked), "--yes"]);
  }

  async ask(): Promise<void> {
    this.#tell.step(
      "A call that waits for people",
      "The agent asks for a change of the fleet. By its risk that needs a person who is not the one who asks: nothing " +
        "is done, and the agent is told what to wait for.",
    );
    this.#request = requestOf(
      await this.#agent("system_fleet_put_object", { object: MODULE }, { code: "APPROVAL_PENDING" }),
    );
  }

  async agentDecides(): Promise<void> {
    this.#tell.step("An agent never decides", "Not on its own request, nor on anybody's.");
    const input = { requestId: this.#request, decision: "approve" };
    await this.#agent("system_approval_decide_request", input, { code: "FORBIDDEN" });
  }

  async sign(): Promise<void> {
    this.#tell.step(
      "The preview, and Ben's signature",
      "Ben sees what would change, field by field, and signs exactly that with his own key. The hub checks the " +
        "signature, then carries the call out once, as the agent, with the rights it still has.",
    );
    await this.#at(this.#account.ben, ["approvals"]);
    await this.#at(this.#account.ben, ["approve", this.#request, "--yes"]);
  }

  async readBack(): Promise<void> {
    this.#tell.step("What came of it", "The agent looks at its request, then at the fleet.");
    const { structuredContent } = await this.#agent("system_approval_get_request", { requestId: this.#request });
    this.#executionCallId = z.object({ executionCallId: z.string() }).parse(structuredContent).executionCallId;
    await this.#agent("system_fleet_get_object", { kind: MODULE.kind, name: MODULE.name }, { output: true });
  }

  async buildOn(): Promise<void> {
    this.#tell.step(
      "The next change builds on it",
      "A template names the module. The same way again, and this time Cleo signs.",
    );
    const asked = await this.#agent("system_fleet_put_object", { object: TEMPLATE }, { code: "APPROVAL_PENDING" });
    await this.#at(this.#account.cleo, ["approve", requestOf(asked), "--yes"]);
  }

  async twoPeople(): Promise<void> {
    const { ada, ben, cleo } = this.#account;
    this.#tell.step(
      "A call that needs two people",
      "What governs the hub is changed by two people, neither of them the one who asks. Ada wants every deletion in " +
        "the fleet to need two people; her own signature does not count, Ben's alone is not enough.",
    );
    const input = spaced({ document: ADAS_POLICY, baseVersion: 1 });
    const id = requestIn(await this.#at(ada, ["call", "system_policy_put", input], { ending: EXIT.pending }));
    await this.#at(ada, ["approve", id, "--yes"], { ending: EXIT.refused, lines: 3 });
    await this.#at(ben, ["approve", id, "--yes"]);
    await this.#at(cleo, ["approve", id, "--yes"], { lines: 3 });
  }

  async receipts(): Promise<void> {
    const { ben, ada } = this.#account;
    this.#tell.step(
      "The receipts",
      "Each step left a signed receipt. Ben fetches the one of the change he approved and verifies it on his own " +
        "machine, up to the root key that came with his invitation. Then the whole journal is walked.",
    );
    await this.#at(ben, ["journal", "tail", "--once", "--lines", "4"]);
    await this.#at(ben, ["journal", "show", `${this.#executionCallId}.outcome`]);
    await this.#at(ada, ["journal", "verify"]);
  }

  async tamper(): Promise<void> {
    const { dataDir, ada } = this.#account;
    this.#tell.step(
      "One byte is changed, and found",
      "Somebody with every right on the database, past the gate and all roles, changes a single digit in that receipt: " +
        "it now tells of another input than the one people signed.",
    );
    const { receiptId, before, after } = await changeOneByte(dataDir, `${this.#executionCallId}.outcome`);
    this.#tell.exchange({
      who: "intruder",
      call: `update receipt set statement = ... -- ${receiptId}`,
      answer: [`before  ${before}...`, `after   ${after}...`],
    });
    await this.#at(ada, ["journal", "verify"], { ending: EXIT.unverified });
  }

  /** A tool call over MCP. It has to end with `code`; `output` prints the structured answer too. */
  async #agent(
    name: string,
    args: Record<string, unknown>,
    { code = "OK", output = false }: { code?: string; output?: boolean } = {},
  ): Promise<CallToolResult> {
    this.#signal.throwIfAborted();
    const result = await this.#account.agent.callTool({ name, arguments: args });
    const text = result.content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
    // an error's details follow as JSON: the sentence has said it
    const sentences = text.split("\n").filter((line) => !line.startsWith("{"));
    const answer = output ? [...sentences, spaced(result.structuredContent)] : sentences;
    this.#tell.exchange({ who: "agent", call: `${name} ${spaced(args)}`, answer });
    const ended = meta.parse(result._meta)["countersign/error"]?.code ?? "OK";
    if (ended !== code) throw new HubError("INTERNAL", `${name} ended with ${ended}, not ${code}: ${text}`);
    return result;
  }

  /** A command of this program, run by a person. */
  async #at(
    person: Person,
    args: readonly string[],
    { ending = EXIT.ok, lines }: { ending?: number; lines?: number } = {},
  ): Promise<Ran> {
    this.#signal.throwIfAborted();
    const ran = await person.run(...args);
    this.#tell.exchange({ who: person.name, call: ran.command, answer: ran.said, ...(lines && { lines }) });
    if (ran.exitCode !== ending)
      throw new HubError("INTERNAL", `"${ran.command}" ended with ${ran.exitCode}, not ${ending}: ${ran.said.at(-1)}`);
    return ran;
  }
}

function requestOf(result: CallToolResult): string {
  return meta.parse(result._meta)["countersign/approval"]?.requestId ?? "";
}

/** The request that a command says it waits for. */
function requestIn({ said }: Ran): string {
  return /approve (\S+)/.exec(said.join("\n"))?.[1] ?? "";
}

/** JSON on one line that can be wrapped at its spaces. */
const spaced = (value: unknown) => JSON.stringify(value, null, 1).replaceAll(/\n\s*/g, " ");
