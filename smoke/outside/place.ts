import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { OutsideHub } from "./hub.ts";

/** Where a client finds a hub and what it shows there. */
export type HubPlace = Pick<OutsideHub, "url" | "env" | "token">;

/** The hub under another address, or with another token: where a client is led to that should not get in. */
export function placeOf(hub: OutsideHub, { url = hub.url, token = hub.token("agent") } = {}): HubPlace {
  return { url, token: () => token, env: { ...hub.env, COUNTERSIGN_URL: url, COUNTERSIGN_TOKEN: token } };
}

/** For a program that has to be told its port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
