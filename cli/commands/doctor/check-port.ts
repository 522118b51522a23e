import { once } from "node:events";
import { existsSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { Config } from "../../../server/config/config.ts";
import { LOG_FILE } from "../../../server/config/log-file.ts";
import { refuseTakenPort } from "../../../server/transport/free-port.ts";
import { nameOf } from "../../../server/transport/own-address.ts";
import { broken, type Finding, sound } from "./finding.ts";

const CHECK = "port";
const PATIENCE_MS = 5_000;

/** Whether the hub can listen where it is to, or is there already. */
export async function checkPort({ host, port, tls }: Config["server"], dataFolder: string): Promise<Finding> {
  if (port === 0) return sound(CHECK, "any free one");
  const place = `${nameOf(host)}:${port}`;
  try {
    await refuseTakenPort(host, port);
    return sound(CHECK, `${place} is free`);
  } catch (error) {
    if (await isHub(`${tls ? "https" : "http"}://${place}/healthz`))
      return sound(CHECK, `a hub answers at ${place}${whose(dataFolder)}`);
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE")
      return broken(CHECK, `The hub cannot listen on ${place} (${code}).`, "unset COUNTERSIGN_HOST COUNTERSIGN_PORT");
    return broken(
      CHECK,
      `Something that is no hub listens on ${place}.`,
      process.platform === "darwin"
        ? `lsof -iTCP:${port} -sTCP:LISTEN # who it is`
        : `ss -ltnp 'sport = :${port}' # who it is`,
      `COUNTERSIGN_PORT=${port === 65_535 ? port - 1 : port + 1} npx countersign start # or another port`,
    );
  }
}

async function isHub(url: string): Promise<boolean> {
  try {
    // nothing is told to it, and nothing is believed but that it is there: its certificate may be for another name
    const options = { signal: AbortSignal.timeout(PATIENCE_MS), agent: false, rejectUnauthorized: false };
    const request = (url.startsWith("https:") ? https : http).get(url, options);
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    return ((await json(response)) as { status?: unknown }).status === "alive";
  } catch {
    return false;
  }
}

/** A person who wants the port back has to know how to end one that nobody started by hand. */
function whose(dataFolder: string): string {
  const log = join(dataFolder, LOG_FILE);
  return existsSync(log) ? ` (one that a client started ends when idle; its process id is in ${log})` : "";
}
