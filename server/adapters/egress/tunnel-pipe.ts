/**
 * A program for ssh's ProxyCommand: standard input and output through a job's tunnel. The first argument is a file that
 * this user alone reads, so that the credential shows neither in the arguments nor in the environment of a process.
 * Its shape is TunnelFile. It exits with 1 where the tunnel does not let it through.
 */
import { readFileSync } from "node:fs";
import { request } from "node:http";

interface TunnelFile {
  readonly port: number;
  readonly credential: string;
  /** `host:port` to be connected with. */
  readonly target: string;
}

const { port, credential, target }: TunnelFile = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const fail = () => process.exit(1);

request({
  host: "127.0.0.1",
  port,
  method: "CONNECT",
  path: target,
  headers: { host: target, "proxy-authorization": `Basic ${Buffer.from(credential).toString("base64")}` },
})
  .on("error", fail)
  .on("response", fail)
  .on("connect", (response, socket, head) => {
    if (response.statusCode !== 200) fail();
    // not exit(): what was written may still be on its way
    socket.on("error", fail).on("close", () => process.stdin.destroy());
    process.stdout.on("error", fail);
    process.stdout.write(head);
    socket.pipe(process.stdout);
    process.stdin.pipe(socket);
  })
  .end();
