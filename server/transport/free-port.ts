import { once } from "node:events";
import { createServer } from "node:net";
import { HubError } from "../errors.ts";

/**
 * Finds out before anything is opened that the door could not be. Throws CONFIG_INVALID where the address is taken or
 * cannot be listened on; port 0 is always free.
 */
export async function refuseTakenPort(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  try {
    probe.listen(port, host.replace(/^\[|\]$/g, ""));
    await once(probe, "listening");
  } catch (cause) {
    throw cannotListen(host, port, cause);
  } finally {
    probe.close();
  }
}

export function cannotListen(host: string, port: number, cause: unknown): HubError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const what = code === "EADDRINUSE" ? "something listens there already, perhaps this hub" : (code ?? message);
  return new HubError(
    "CONFIG_INVALID",
    `The hub cannot listen on ${host}:${port}: ${what}. COUNTERSIGN_PORT takes another port.`,
    { cause, path: "COUNTERSIGN_PORT" },
  );
}
