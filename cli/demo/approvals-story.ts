import * as z from "zod";
import { EXIT } from "../exit-codes.ts";
import type { Narrator } from "./narrator.ts";
import type { ScratchAccount } from "./scratch-account.ts";
import { changeOneByte } from "./scratch-database.ts";
import { requestIn, requestOf, Stage, spaced } from "./stage.ts";
import { ADAS_POLICY, AGENTS_POLICY, MODULE, TEMPLATE } from "./wishes.ts";

/** What to do next, in one's own hub. */
export const FOR_REAL = [
  ["npx countersign start", "the hub, yours"],
  ["npx countersign connect claude --dir <project>", "let its agent ask"],
  ["npx countersign approvals", "what waits for you"],
  ["npx countersign approve <id>", "see the preview, sign"],
  ["npx countersign invite <name>", "a second person"],
  ["npx countersign journal verify", "check it all"],
] as const;

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
  readonly #stage: Stage;
  #request = "";
  #executionCallId = "";

  constructor(account: ScratchAccount, tell: Narrator, signal: AbortSignal) {
    this.#account = account;
    this.#tell = tell;
    this.#stage = new Stage(account.agent, tell, signal);
  }

  async meet(): Promise<void> {
    this.#tell.step(
      "Who am I?",
      "Every caller is somebody. The agent is a real MCP client with a token of its own; it answers to Ada, whose " +
        "hub this is.",
    );
    await this.#stage.agent("system_identity_whoami", {});
  }

  async refuse(): Promise<void> {
    this.#tell.step(
      "A refused call",
      "Nothing is allowed that no policy permits. The agent tries to change the policy that governs it; the refusal " +
        "names what decided, and is recorded like every other call.",
    );
    await this.#stage.agent("system_policy_put", { document: AGENTS_POLICY, baseVersion: 1 }, { code: "FORBIDDEN" });
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
      const invited = await this.#stage.at(ada, ["invite", name, "--roles", "admin", "--yes"], lines);
      const [, code = "", rootKey = ""] = /join (\S+) --root-key (\S+)/.exec(invited.said.join("\n")) ?? [];
      await this.#stage.at(person, ["join", code, "--root-key", rootKey]);
    }
    const asked = await this.#stage.at(ada, ["call", "system_identity_set_profile", '{"profile":"team"}'], {
      ending: EXIT.pending,
    });
    await this.#stage.at(ada, ["approve", requestIn(asked), "--yes"]);
  }

  async ask(): Promise<void> {
    this.#tell.step(
      "A call that waits for people",
      "The agent asks for a change of the fleet. By its risk that needs a person who is not the one who asks: nothing " +
        "is done, and the agent is told what to wait for.",
    );
    this.#request = requestOf(
      await this.#stage.agent("system_fleet_put_object", { object: MODULE }, { code: "APPROVAL_PENDING" }),
    );
  }

  async agentDecides(): Promise<void> {
    this.#tell.step("An agent never decides", "Not on its own request, nor on anybody's.");
    const input = { requestId: this.#request, decision: "approve" };
    await this.#stage.agent("system_approval_decide_request", input, { code: "FORBIDDEN" });
  }

  async sign(): Promise<void> {
    this.#tell.step(
      "The preview, and Ben's signature",
      "Ben sees what would change, field by field, and signs exactly that with his own key. The hub checks the " +
        "signature, then carries the call out once, as the agent, with the rights it still has.",
    );
    await this.#stage.at(this.#account.ben, ["approvals"]);
    await this.#stage.at(this.#account.ben, ["approve", this.#request, "--yes"]);
  }

  async readBack(): Promise<void> {
    this.#tell.step("What came of it", "The agent looks at its request, then at the fleet.");
    const { structuredContent } = await this.#stage.agent("system_approval_get_request", { requestId: this.#request });
    this.#executionCallId = z.object({ executionCallId: z.string() }).parse(structuredContent).executionCallId;
    await this.#stage.agent("system_fleet_get_object", { kind: MODULE.kind, name: MODULE.name }, { output: true });
  }

  async buildOn(): Promise<void> {
    this.#tell.step(
      "The next change builds on it",
      "A template names the module. The same way again, and this time Cleo signs.",
    );
    const asked = await this.#stage.agent(
      "system_fleet_put_object",
      { object: TEMPLATE },
      { code: "APPROVAL_PENDING" },
    );
    await this.#stage.at(this.#account.cleo, ["approve", requestOf(asked), "--yes"]);
  }

  async twoPeople(): Promise<void> {
    const { ada, ben, cleo } = this.#account;
    this.#tell.step(
      "A call that needs two people",
      "What governs the hub is changed by two people, neither of them the one who asks. Ada wants every deletion in " +
        "the fleet to need two people; her own signature does not count, Ben's alone is not enough.",
    );
    const input = spaced({ document: ADAS_POLICY, baseVersion: 1 });
    const id = requestIn(await this.#stage.at(ada, ["call", "system_policy_put", input], { ending: EXIT.pending }));
    await this.#stage.at(ada, ["approve", id, "--yes"], { ending: EXIT.refused, lines: 3 });
    await this.#stage.at(ben, ["approve", id, "--yes"]);
    await this.#stage.at(cleo, ["approve", id, "--yes"], { lines: 3 });
  }

  async receipts(): Promise<void> {
    const { ben, ada } = this.#account;
    this.#tell.step(
      "The receipts",
      "Each step left a signed receipt. Ben fetches the one of the change he approved and verifies it on his own " +
        "machine, up to the root key that came with his invitation. Then the whole journal is walked.",
    );
    await this.#stage.at(ben, ["journal", "tail", "--once", "--lines", "4"]);
    await this.#stage.at(ben, ["journal", "show", `${this.#executionCallId}.outcome`]);
    await this.#stage.at(ada, ["journal", "verify"]);
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
    await this.#stage.at(ada, ["journal", "verify"], { ending: EXIT.unverified });
  }
}
