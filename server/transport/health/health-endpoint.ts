import { HubError } from "../../errors.ts";
import type { Exchange } from "../exchange.ts";
import { headersOf } from "../http-status.ts";
import type { HubDoor, Readiness } from "../hub-door.ts";
import { answerProblem } from "../problem.ts";
import type { Traffic } from "../traffic.ts";

/** Milliseconds after which a check that does not come back counts as failed. */
const PATIENCE_MS = 5000;

/**
 * `/healthz`: the process runs, restarting it would help nobody. `/readyz`: it can carry out calls; if not, which part it
 * lacks. Neither asks who wants to know, and neither tells more than names.
 */
export class HealthEndpoint {
  readonly #door: HubDoor;
  readonly #traffic: Traffic;
  /** Probes that come together share one look. */
  #looking: Promise<Readiness> | undefined;

  constructor(door: HubDoor, traffic: Traffic) {
    this.#door = door;
    this.#traffic = traffic;
  }

  static serves(path: string): boolean {
    return path === "/healthz" || path === "/readyz";
  }

  async serve(exchange: Exchange): Promise<void> {
    const { method } = exchange.request;
    if (method !== "GET" && method !== "HEAD")
      return answerProblem(
        exchange,
        new HubError("METHOD_NOT_ALLOWED", "Ask by GET.", { details: { allow: "GET, HEAD" } }),
      );
    if (exchange.path === "/healthz") return exchange.answer(200, { status: "alive" });
    const { ok, checks } = await this.#readiness();
    const status = ok ? 200 : 503;
    exchange.answer(status, { status: ok ? "ready" : "not ready", checks }, headersOf(status));
  }

  async #readiness(): Promise<Readiness> {
    if (this.#traffic.draining) return { ok: false, checks: { draining: { ok: false } } };
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<Readiness> {
    const { promise: late, resolve } = Promise.withResolvers<Readiness>();
    const timer = setTimeout(() => resolve({ ok: false, checks: { answer: { ok: false } } }), PATIENCE_MS);
    try {
      return await Promise.race([this.#door.ready(), late]);
    } catch (error) {
      this.#door.log.error({ err: error }, "the readiness check failed");
      return { ok: false, checks: { answer: { ok: false } } };
    } finally {
      clearTimeout(timer);
    }
  }
}
