import type { Json } from "../../../contracts/formats/canonical-json.ts";

type JsonObject = { readonly [name: string]: Json };

/** One call at the plain HTTP door, and what came back, as it is. */
export interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

/** `POST /v1/actions/{action}` at the hub that serves `url`. */
export async function callDoor(
  url: string,
  token: string | undefined,
  action: string,
  input: unknown,
): Promise<Answer> {
  const response = await fetch(new URL(`/v1/actions/${action}`, url), {
    method: "POST",
    headers: { "content-type": "application/json", ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(input),
  });
  return { status: response.status, body: (await response.json()) as JsonObject };
}
