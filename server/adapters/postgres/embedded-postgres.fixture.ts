/** A process that uses the embedded server of argv[2] as a hub does: tells the server's process id, then waits for the end. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { joinEmbeddedPostgres } from "./embedded-postgres.ts";

const embedded = await joinEmbeddedPostgres(process.argv[2] as string, { idleStopMs: 500 });
const [pid] = readFileSync(join(embedded.home, "data", "postmaster.pid"), "utf8").split("\n");
process.send?.({ server: Number(pid) });
process.once("disconnect", () => embedded.release());
