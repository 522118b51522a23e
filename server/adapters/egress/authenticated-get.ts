import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect as startTls, type TLSSocket } from "node:tls";
import { HubError } from "../../errors.ts";
import type { Egress } from "./egress.ts";

export interface AuthenticatedGet {
  /** An https address without user and fragment. */
  readonly url: string;
  readonly token: Buffer;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 15_000;

/**
 * Asks for one page with `Authorization: Bearer` and answers with the HTTP status; nothing of the page is read, and a
 * redirect is followed nowhere. Throws EGRESS_REFUSED, TIMEOUT, CANCELLED, and else the system's error (ECONNREFUSED, a
 * certificate's and so on), which the caller has words for.
 */
export function bearerProbe(egress: Egress, caFile: string | undefined) {
  return async ({ url, token, signal }: AuthenticatedGet): Promise<number> => {
    const { hostname, port, pathname, search } = new URL(url);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const ca = caFile === undefined ? undefined : await readFile(caFile, "utf8");
    const host = hostname.replace(/^\[|\]$/g, "");
    const socket = await egress.connect(host, port === "" ? 443 : Number(port), { signal: limit });
    try {
      const secured = startTls({ socket, servername: isName(host) ? host : "", ...(ca && { ca }), host });
      await once(secured, "secureConnect", { signal: limit });
      return await statusOf(secured, { path: `${pathname}${search}`, host: new URL(url).host, token, signal: limit });
    } catch (cause) {
      throw signal.aborted || !limit.aborted
        ? cause
        : new HubError("TIMEOUT", `${host} did not answer in time.`, { cause });
    } finally {
      socket.destroy();
    }
  };
}

async function statusOf(
  socket: TLSSocket,
  { path, host, token, signal }: { path: string; host: string; token: Buffer; signal: AbortSignal },
): Promise<number> {
  const asked = request({
    createConnection: () => socket,
    path,
    signal,
    headers: { host, accept: "*/*", authorization: `Bearer ${token.toString("latin1")}`, connection: "close" },
  });
  asked.end();
  const [answer] = (await once(asked, "response", { signal })) as [IncomingMessage];
  answer.destroy();
  return answer.statusCode ?? 0;
}

const isName = (host: string): boolean => !host.includes(":") && !/^[\d.]+$/.test(host);
