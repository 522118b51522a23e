/** A walk through a fresh hub that calls every action with good input: what the reference shows, and tests start from. */
import { setTimeout as pause } from "node:timers/promises";
import { buildDecision } from "../../../contracts/approval/decision.ts";
import { openRequest } from "../../../contracts/approval/request.ts";
import { decisionTaken, requestDetail } from "../../../contracts/approval/request-view.ts";
import { type Envelope, signEnvelope } from "../../../contracts/formats/dsse.ts";
import type { KeyPair } from "../../../contracts/formats/ed25519.ts";
import type { ScratchRepository } from "../../scratch-repository.ts";
import { type Answer, callDoor } from "./door.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Who calls in an example. An invitee has an invitation code and no token yet. */
export type Speaker = "operator" | "agent" | "invitee";

/** One call that was made, and what it came to. */
export interface Example {
  readonly action: string;
  readonly caller: Speaker;
  readonly input: Fields;
  /** HTTP: 200 done, 202 waits for people. */
  readonly status: number;
  readonly answer: Fields;
  /** Of a call that waited: what the requester finds once it was approved and carried out. */
  readonly afterApproval?: Fields;
}

/** A hub with its first account: an operator who can sign, and that person's agent. */
export interface Stage {
  /** Any address at the hub. */
  readonly url: string;
  readonly tokens: Readonly<Record<"operator" | "agent", string>>;
  readonly key: KeyPair;
  /** A Git repository that the hub may fetch from. */
  readonly repository: ScratchRepository;
  /** Makes one on the command line, since no call does. */
  readonly makeBackup: () => Promise<void>;
  /** Takes a credential's row away past the hub. */
  readonly loseCredential: (name: string) => Promise<void>;
}

/** Calls, signs, and keeps what is to be shown. */
export class Walk {
  readonly #stage: Stage;
  readonly #examples: Example[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get repository(): ScratchRepository {
    return this.#stage.repository;
  }

  makeBackup(): Promise<void> {
    return this.#stage.makeBackup();
  }

  loseCredential(name: string): Promise<void> {
    return this.#stage.loseCredential(name);
  }

  get examples(): readonly Example[] {
    return this.#examples;
  }

  /** An example: a call that is answered at once. An invitee's `code` speaks instead of a token. */
  async show(caller: Speaker, action: string, input: Fields = {}, code?: string): Promise<Fields> {
    const { status, body } = await this.#call(action, input, code ?? this.#token(caller));
    if (body.status !== "done") throw new Error(`${action} was not done at once: ${JSON.stringify(body)}`);
    this.#examples.push({ action, caller, input, status, answer: body });
    return body.output as Fields;
  }

  /** An example: the first answer that is as wanted. */
  async showWhen(
    caller: "operator" | "agent",
    action: string,
    input: Fields,
    wanted: (output: Fields) => boolean,
  ): Promise<void> {
    const { status, body } = await this.#until(caller, action, input, wanted);
    this.#examples.push({ action, caller, input, status, answer: body });
  }

  /** An example: a call that waits for a person. `decide` may look at the open request before it is approved. */
  async showApproved(
    caller: "operator" | "agent",
    action: string,
    input: Fields,
    decide = (requestId: string) => this.approve(requestId),
  ): Promise<{ output: Fields; callId: string }> {
    const { status, body } = await this.#call(action, input, this.#token(caller));
    if (body.status !== "pending") throw new Error(`${action} did not wait: ${JSON.stringify(body)}`);
    const { requestId } = body.approval as { requestId: string };
    await decide(requestId);
    const settled = ({ state }: Fields) => state !== "approved" && state !== "executing";
    const { body: found } = await this.#until(caller, "system_approval_get_request", { requestId }, settled);
    const executed = found.output as Fields;
    if (executed.state !== "executed") throw new Error(`${action} was not executed: ${JSON.stringify(executed)}`);
    const afterApproval = (executed.yours as { result: Fields }).result;
    this.#examples.push({ action, caller, input, status, answer: body, afterApproval });
    return { output: afterApproval.output as Fields, callId: executed.executionCallId as string };
  }

  /** Answers with the request of a call that waits; nobody decides. */
  async ask(caller: "operator" | "agent", action: string, input: Fields): Promise<string> {
    const { body } = await this.#call(action, input, this.#token(caller));
    if (body.status !== "pending") throw new Error(`${action} did not wait: ${JSON.stringify(body)}`);
    return (body.approval as { requestId: string }).requestId;
  }

  /** The operator's signed approval, as input of system_approval_decide_request. */
  async signature(requestId: string): Promise<Fields> {
    const output = await this.#output("operator", "system_approval_get_request", { requestId });
    const request = openRequest(requestId, requestDetail.parse(output));
    const { principal } = await this.#output("operator", "system_identity_whoami");
    const payload = buildDecision(requestId, {
      decision: "approve",
      personId: (principal as { person: { id: string } }).person.id,
      decidedAt: new Date().toISOString(),
      previewDigest: request.predicate.previewDigest,
      requestDigest: request.digest,
    });
    return { requestId, decision: "approve", envelope: signEnvelope(payload, this.#stage.key) };
  }

  /** An envelope by the operator's key. */
  endorse(payload: Uint8Array): Envelope {
    return signEnvelope(payload, this.#stage.key);
  }

  async approve(requestId: string): Promise<void> {
    const input = await this.signature(requestId);
    const output = await this.#output("operator", "system_approval_decide_request", input);
    const { state } = decisionTaken.parse(output);
    if (state !== "approved") throw new Error(`one signature was not enough: ${JSON.stringify(output)}`);
  }

  async #output(caller: "operator" | "agent", action: string, input: Fields = {}): Promise<Fields> {
    const { body } = await this.#until(caller, action, input, () => true);
    return body.output as Fields;
  }

  /** Calls until the output is as wanted: what the hub does behind its answers is done within moments. */
  async #until(
    caller: "operator" | "agent",
    action: string,
    input: Fields,
    wanted: (output: Fields) => boolean,
  ): Promise<Answer> {
    for (let tries = 0; tries < 200; tries++) {
      const answer = await this.#call(action, input, this.#token(caller));
      if (answer.body.status !== "done") throw new Error(`${action}: ${JSON.stringify(answer.body)}`);
      if (wanted(answer.body.output as Fields)) return answer;
      await pause(25);
    }
    throw new Error(`${action} never came to what was waited for`);
  }

  #call(action: string, input: Fields, token: string) {
    return callDoor(this.#stage.url, token, action, input);
  }

  #token(caller: Speaker): string {
    if (caller === "invitee") throw new Error("an invitee speaks with the invitation's code");
    return this.#stage.tokens[caller];
  }
}
