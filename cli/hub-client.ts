import { v7 } from "uuid";
import * as z from "zod";
import { type ErrorCode, HubError } from "../server/errors.ts";

const receipt = z.object({ id: z.string(), callId: z.string(), salt: z.string() });
const done = z.object({
  status: z.literal("done"),
  output: z.record(z.string(), z.unknown()),
  summary: z.string(),
  receipt,
});
const pending = z.object({
  status: z.literal("pending"),
  approval: z.object({
    requestId: z.string(),
    action: z.string(),
    needs: z.string(),
    headline: z.string(),
    approvalExpiresAt: z.string(),
    merged: z.boolean(),
  }),
  receipt,
});
const answer = z.discriminatedUnion("status", [done, pending]);
const problem = z.object({
  code: z.string(),
  detail: z.string(),
  path: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
  receipt: receipt.optional(),
});

export type HubAnswer = z.output<typeof answer>;
export type DoneAnswer = z.output<typeof done>;

/** Calls actions of the running hub at its plain HTTP door. Throws HubError with the hub's code, or HUB_UNREACHABLE. */
export class HubClient {
  readonly url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.#token = token;
  }

  /** A change is sent with an idempotency key: a repeat after a lost answer does nothing twice. */
  async call(action: string, input: unknown = {}, idempotencyKey: string = v7()): Promise<HubAnswer> {
    const response = await this.#post(action, input, idempotencyKey);
    const body: unknown = await response.json().catch(() => undefined);
    if (response.ok) return understood(answer, body, action);
    const failure = problem.safeParse(body);
    if (!failure.success)
      throw new HubError("HUB_UNREACHABLE", `${this.url} answered with HTTP ${response.status}, not as a hub does.`);
    const { code, detail, path, details, receipt } = failure.data;
    const error = new HubError(code as ErrorCode, detail, {
      ...(path !== undefined && { path }),
      ...(details && { details }),
    });
    if (receipt) error.receipt = receipt;
    throw error;
  }

  /** For actions that are answered at once. Throws APPROVAL_PENDING where people have to agree first. */
  async done(action: string, input: unknown = {}): Promise<DoneAnswer> {
    const result = await this.call(action, input);
    if (result.status === "done") return result;
    const { requestId, needs } = result.approval;
    throw new HubError("APPROVAL_PENDING", `Waits for ${needs}: npx countersign approve ${requestId}`, {
      details: { requestId },
    });
  }

  /** One action's output, read by its schema. */
  async output<T extends z.ZodType>(schema: T, action: string, input: unknown = {}): Promise<z.output<T>> {
    return understood(schema, (await this.done(action, input)).output, action);
  }

  async #post(action: string, input: unknown, idempotencyKey: string): Promise<Response> {
    try {
      return await fetch(new URL(`/v1/actions/${encodeURIComponent(action)}`, this.url), {
        method: "POST",
        headers: {
          authorization: `Bearer ${this.#token}`,
          "content-type": "application/json",
          "idempotency-key": idempotencyKey,
        },
        body: JSON.stringify(input),
      });
    } catch (cause) {
      throw new HubError(
        "HUB_UNREACHABLE",
        `No hub answers at ${new URL(this.url).origin}. Start it: npx countersign start`,
        { cause },
      );
    }
  }
}

/** Another version may answer in another shape. */
function understood<T extends z.ZodType>(schema: T, value: unknown, action: string): z.output<T> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new HubError(
    "OUTPUT_INVALID",
    `This command line does not understand what the hub answered to ${action}: are both of the same version?`,
    { cause: error },
  );
}
