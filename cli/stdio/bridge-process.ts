/** For tests: the bridge as a process of its own, as an MCP client starts it. Arguments: the hub's address, a token. */
import { bridge } from "./bridge.ts";

const [url = "", token = ""] = process.argv.slice(2);
await bridge({ hub: () => ({ url, token }), input: process.stdin, output: process.stdout });
