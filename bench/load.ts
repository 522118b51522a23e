/** A closed-loop load in a process of its own: N connections, each sends its next request when it has its answer. */
import { Pool } from "undici";

export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** One body a request, taken in turn from those made by `kind`. */
  readonly bodies: BodyKind;
  readonly connections: number;
  readonly requests: number;
}

export type BodyKind =
  | { readonly kind: "same"; readonly body: string }
  /** `{name}` in the text is replaced by a name that no other request has: of an object to put, or the request's id. */
  | { readonly kind: "named"; readonly body: string; readonly prefix: string };

export interface LoadResult {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export async function runLoad(load: Load): Promise<LoadResult> {
  const { origin, pathname } = new URL(load.url);
  await using pool = Object.assign(new Pool(origin, { connections: load.connections, pipelining: 1 }), {
    async [Symbol.asyncDispose]() {
      await pool.close();
    },
  });
  const times: number[] = [];
  let next = 0;
  const one = async () => {
    while (next < load.requests) {
      const no = next++;
      const body = bodyOf(load.bodies, no);
      const began = performance.now();
      const response = await pool.request({ method: "POST", path: pathname, headers: load.headers, body });
      const text = await response.body.text();
      times.push(performance.now() - began);
      if (response.statusCode !== 200 || text.includes('"isError":true') || text.includes('"error"'))
        throw new TypeError(`an answer is no success: ${response.statusCode} ${text.slice(0, 300)}`);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: load.connections }, one));
  const seconds = (performance.now() - began) / 1000;
  return { perSecond: load.requests / seconds, ...spreadOf(times) };
}

export function spreadOf(times: number[]): Omit<LoadResult, "perSecond"> {
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function bodyOf(bodies: BodyKind, no: number): string {
  return bodies.kind === "same" ? bodies.body : bodies.body.replace("{name}", `${bodies.prefix}-${no}`);
}

if (import.meta.main) {
  process.once("message", (load) => {
    void runLoad(load as Load).then((result) => process.send?.(result, () => process.disconnect?.()));
  });
}
