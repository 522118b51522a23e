import * as z from "zod";
import { type CredentialView, credentialView } from "../../../contracts/credentials/credential.ts";
import type { Caller } from "../../action/caller.ts";
import { HubError, toHubError } from "../../errors.ts";
import type { Exchange } from "../exchange.ts";
import { readForm } from "../form-body.ts";
import { headersOf, statusOf } from "../http-status.ts";
import type { HubDoor } from "../hub-door.ts";
import type { Refusals } from "../refusals.ts";
import type { Traffic } from "../traffic.ts";
import { donePage, formPage, PAGE_HEADERS, refusalPage } from "./claim-html.ts";

export const CLAIMS_PATH = "/claims/";

/** Bytes of a form: the largest secret, each byte of it written as three. */
const MOST_BYTES = 64 << 10;

interface Visit {
  readonly caller: Caller;
  readonly credential: string;
  /** Undefined where the page is only looked at. */
  readonly secret: string | undefined;
}

const answered = z.object({ credential: credentialView });

/**
 * `/claims/<code>`: where a person gives a credential its secret, once. A plain form without scripts; the code in the
 * address is what lets them in, and it acts, through the gate, in the name of who asked for the claim.
 */
export class ClaimPage {
  readonly #door: HubDoor;
  readonly #traffic: Traffic;
  readonly #refusals: Refusals;

  constructor(door: HubDoor, traffic: Traffic, refusals: Refusals) {
    this.#door = door;
    this.#traffic = traffic;
    this.#refusals = refusals;
  }

  static serves(path: string): boolean {
    return path.startsWith(CLAIMS_PATH);
  }

  /** Never throws. */
  async serve(exchange: Exchange): Promise<void> {
    exchange.subject = "claim";
    let visit: Visit | undefined;
    try {
      visit = await this.#admit(exchange);
      const { secret } = visit;
      if (secret === "") throw this.#refusals.record(exchange, emptySecret(), "http");
      const shown =
        secret === undefined ? await this.#look(exchange, visit) : await this.#give(exchange, visit, secret);
      answer(exchange, 200, shown);
    } catch (thrown) {
      const error = toHubError(thrown);
      if (error.code === "INTERNAL") this.#door.log.error({ err: thrown, requestId: exchange.id }, "a claim failed");
      const mended = visit && error.code === "INPUT_INVALID" ? await this.#again(exchange, visit, error) : undefined;
      answer(exchange, statusOf(error), mended ?? refusalPage(error), error);
    }
  }

  /** What comes before the gate; what is refused here is recorded here. */
  async #admit(exchange: Exchange): Promise<Visit> {
    const { request } = exchange;
    try {
      const { method } = request;
      if (method !== "GET" && method !== "POST")
        throw new HubError("METHOD_NOT_ALLOWED", "A claim is looked at, or given its secret.", {
          details: { allow: "GET, POST" },
        });
      const { caller, credential } = await this.#refusals.claimant(exchange, codeOf(exchange));
      const form =
        method === "POST" ? await this.#traffic.uploading(caller, () => readForm(request, MOST_BYTES)) : undefined;
      this.#traffic.admit(exchange, caller);
      return { caller, credential, secret: form && secretIn(form) };
    } catch (thrown) {
      throw this.#refusals.record(exchange, thrown, "http");
    }
  }

  async #look(exchange: Exchange, visit: Visit): Promise<string> {
    return formPage(await this.#metadata(exchange, visit), visit.caller.principal);
  }

  async #give(exchange: Exchange, visit: Visit, secret: string): Promise<string> {
    const input = { name: visit.credential, claim: codeOf(exchange), secret };
    return donePage(await this.#run(exchange, visit, "system_credentials_provide_secret", input));
  }

  /** The form once more, with what was wrong; the claim still counts. */
  async #again(exchange: Exchange, visit: Visit, error: HubError): Promise<string | undefined> {
    try {
      return formPage(await this.#metadata(exchange, visit), visit.caller.principal, error.message);
    } catch {
      return undefined;
    }
  }

  #metadata(exchange: Exchange, visit: Visit): Promise<CredentialView> {
    return this.#run(exchange, visit, "system_credentials_get_metadata", { name: visit.credential });
  }

  async #run(exchange: Exchange, { caller }: Visit, action: string, input: object): Promise<CredentialView> {
    const { traceId, signal } = exchange;
    const result = await this.#traffic.running(caller, () =>
      this.#door.run({ action, input, caller, channel: "http", canConfirm: false, traceId, signal }),
    );
    if (result.status !== "done") throw new Error("cannot happen: neither action ever waits for anybody");
    return answered.parse(result.output).credential;
  }
}

const codeOf = ({ path }: Exchange): string => path.slice(CLAIMS_PATH.length);

/** Browsers end the lines of a text field by CRLF; the end of the last line is no part of the secret. */
function secretIn(form: URLSearchParams): string {
  return form.get("secret")?.replaceAll("\r\n", "\n").replace(/\n+$/, "") ?? "";
}

/** Its form is shown again: nobody has used the claim up by it. */
const emptySecret = () => new HubError("INPUT_INVALID", "secret: it is empty.", { path: "secret" });

function answer(exchange: Exchange, status: number, page: string, error?: HubError): void {
  const allow = status === 405 ? { allow: "GET, POST" } : {};
  exchange.answerText(status, page, { ...PAGE_HEADERS, ...headersOf(status, error), ...allow });
}
