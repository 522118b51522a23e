import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Connect, OutsideClient } from "./clients.ts";
import { COMMAND } from "./hub.ts";
import { freePort, type HubPlace } from "./place.ts";

const PROXY = fileURLToPath(import.meta.resolve("mcp-proxy").replace(/dist\/.*/, "dist/bin/mcp-proxy.mjs"));

/**
 * npm's `mcp-proxy` runs the bridge and serves it over HTTP. `behind` is the revision that it speaks with the bridge,
 * `front` the client that speaks with it. Throws where the proxy ends because it cannot get into the hub.
 */
export function throughMcpProxy(
  behind: "legacy" | "modern",
  front: Connect,
): (place: HubPlace) => Promise<OutsideClient> {
  return async (place) => {
    const port = await freePort();
    const options = ["--host", "127.0.0.1", "--port", String(port), "--server", "stream", "--upstreamProtocol", behind];
    const child = spawn(process.execPath, [PROXY, ...options, "--", process.execPath, COMMAND, "stdio", "--no-start"], {
      env: place.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    try {
      await serving(child, port);
      const client = await front({ ...place, url: `http://127.0.0.1:${port}/mcp` });
      return {
        listTools: () => client.listTools(),
        callTool: (params) => client.callTool(params),
        async close() {
          await client.close();
          await ended(child);
        },
      };
    } catch (error) {
      await ended(child);
      throw error;
    }
  };
}

/** Until it serves; what it says on its way out is the error. It says so a little too early, so its own /ping is asked. */
async function serving(child: ChildProcess, port: number): Promise<void> {
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
  for (;;) {
    if (child.exitCode !== null) throw new Error(`mcp-proxy ended with ${child.exitCode}: ${said}`);
    const answered = await fetch(`http://127.0.0.1:${port}/ping`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answered) return;
    await pause(50);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}
