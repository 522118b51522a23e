import { requestDetail } from "../../contracts/approval/request-view.ts";
import { type CliContext, connectedHub, hubAddress, OPERATOR } from "../context.ts";
import { openOwnRequest, previewWords, signDecision } from "../decide-request.ts";
import type { HubClient } from "../hub-client.ts";
import { type Program, type Ran, runProgram } from "./run-program.ts";
import type { HubPower } from "./step.ts";

export type Speaker = "operator" | "agent";

/** Whom a run acts as, and how what has to be agreed to comes to be. */
export interface Cast {
  readonly hubUrl: string;
  readonly accountId: string | undefined;
  hub(as: Speaker): HubClient;
  /** Has who can sign here and now do so; answers with their names. */
  sign(requestId: string): Promise<readonly string[]>;
  /** A command of this program as the operator, on this terminal. `json`: its answer is wanted as JSON. */
  command(words: readonly string[], json: boolean): Promise<Ran>;
  /** Ends or starts the hub; drills alone can. */
  power?(power: HubPower): Promise<void>;
  /** Whether a person says that something was done. */
  done(question: string): Promise<boolean>;
}

/** One's own hub and terminal: calls as oneself, and signs where a solo account's one person says yes. */
export function ownCast(context: CliContext, program: Program, options: { yes?: true }): Cast {
  const { terminal, folder } = context;
  return {
    hubUrl: hubAddress(context).url,
    accountId: folder.hub()?.accountId,
    hub: (as) => connectedHub(context, as),
    async sign(requestId) {
      const hub = connectedHub(context, OPERATOR);
      const detail = await hub.output(requestDetail, "system_approval_get_request", { requestId });
      const request = openOwnRequest(folder, requestId, detail);
      terminal.note(previewWords(terminal, request.preview));
      if (detail.profile !== "solo" || detail.state !== "open") return [];
      if (!options.yes && !(await terminal.confirm("Sign it?"))) return [];
      await signDecision(folder, hub, { id: requestId, request, decision: "approve" });
      return ["you"];
    },
    command: (words, json) => runProgram(context, program, words, { json, echo: true }),
    async done(question) {
      if (options.yes) return true;
      return terminal.confirm(question);
    },
  };
}
