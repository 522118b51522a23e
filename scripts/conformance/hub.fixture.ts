/**
 * The test-only profile: a real hub in folders of its own, whose MCP door offers the official suite's fixtures beside the
 * hub's own tools. `npm run conformance` starts it as a process of its own and is told where it is; it ends when that one
 * lets go. No hub that is started in another way has the fixtures.
 */
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliFolder } from "../../cli/cli-folder.ts";
import { AGENT } from "../../cli/context.ts";
import { makeFirstAccount } from "../../cli/first-account.ts";
import { scratchEnv } from "../../cli/scratch-env.ts";
import { stopEmbeddedPostgres } from "../../server/adapters/postgres/embedded-postgres.ts";
import { configFrom, secretsFrom } from "../../server/config/config.ts";
import { readEnv } from "../../server/config/env.ts";
import { createLog } from "../../server/config/log.ts";
import { start } from "../../server/main.ts";
import { withFixtures } from "./fixtures/fixture-catalogue.ts";
import { Forwarder } from "./forwarder.ts";

const released = once(process, "disconnect");
// who is interrupted with this process lets go of it, and it has to tidy up
process.on("SIGINT", () => {});
await using rooms = new AsyncDisposableStack();
const home = mkdtempSync(join(tmpdir(), "countersign-conformance-"));
chmodSync(home, 0o711); // root's PostgreSQL is another user, which must be able to walk through
rooms.defer(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
const dataDir = join(home, "data");
rooms.defer(() => (existsSync(dataDir) ? stopEmbeddedPostgres(dataDir) : undefined));

const forwarder = rooms.use(await Forwarder.open());
const env = readEnv({ ...scratchEnv(home), COUNTERSIGN_ALLOWED_ORIGINS: forwarder.origin });
const config = configFrom(env);
const folder = new CliFolder(join(home, "cli"));
const hub = rooms.use(
  await start({
    config,
    secrets: secretsFrom(env),
    log: createLog(config.log),
    firstAccount: async () => makeFirstAccount(folder, "Ada"),
    progress: () => {},
    catalogue: withFixtures,
  }),
);
forwarder.leadTo(hub.url, folder.token(AGENT) ?? "");
process.send?.(`${forwarder.origin}/mcp`);
await released;
