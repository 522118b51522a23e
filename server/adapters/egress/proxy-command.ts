import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Tunnel } from "./tunnel.ts";

const program = fileURLToPath(new URL("./tunnel-pipe.ts", import.meta.url));

/**
 * Writes `file`, which lies in a folder that this user alone can enter, and answers with the ProxyCommand for ssh that
 * goes through the tunnel to `target`, `host:port`, whatever else ssh is told.
 */
export async function proxyCommand(tunnel: Tunnel, target: string, file: string): Promise<string> {
  const content = { port: tunnel.port, credential: tunnel.credential, target };
  await writeFile(file, JSON.stringify(content), { mode: 0o600 });
  // ssh gives it to a shell behind `exec`, and replaces what begins with a per cent sign before
  return [process.execPath, program, file].map(quoted).join(" ").replaceAll("%", "%%");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
