import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CliFolder } from "../../../cli/cli-folder.ts";
import { AGENT, OPERATOR } from "../../../cli/context.ts";
import { makeFirstAccount } from "../../../cli/first-account.ts";
import { startHubProcess } from "../../../cli/hub-process.ts";
import { scratchEnv } from "../../../cli/scratch-env.ts";
import type { Json } from "../../../contracts/formats/canonical-json.ts";
import { stopEmbeddedPostgres } from "../../../server/adapters/postgres/embedded-postgres.ts";
import { ScratchRepository } from "../../scratch-repository.ts";
import { loseCredential } from "./lose-credential.ts";
import { makeBackup } from "./make-backup.ts";
import { Placeholders } from "./placeholders.ts";
import { WRITTEN, walkThrough } from "./scenario.ts";
import type { Example } from "./walk.ts";

let recorded: Promise<ReadonlyMap<string, Example>> | undefined;

/**
 * One example of each action, by its name: calls that were made to a scratch hub, with placeholders for what differs from
 * run to run. Made once a process.
 */
export function recordedExamples(): Promise<ReadonlyMap<string, Example>> {
  recorded ??= record();
  return recorded;
}

async function record(): Promise<ReadonlyMap<string, Example>> {
  await using hub = await scratchHub();
  const folders = { [dirname(hub.repository.folder)]: "/srv/git", [new URL(hub.url).origin]: "http://127.0.0.1:3910" };
  const placeholders = new Placeholders({ began: new Date(), kept: WRITTEN, folders });
  const examples = new Map<string, Example>();
  for (const example of await walkThrough(hub)) {
    const shown = placeholders.apply(example as unknown as Json) as unknown as Example;
    if (!examples.has(example.action)) examples.set(example.action, shown);
  }
  return examples;
}

/** A hub of its own, as `countersign start` starts it, in a temporary folder that goes away with it. */
async function scratchHub() {
  await using opening = new AsyncDisposableStack();
  const home = mkdtempSync(join(tmpdir(), "countersign-examples-"));
  chmodSync(home, 0o711); // root's PostgreSQL is another user, which must be able to walk through
  opening.defer(() => removeFolder(home));
  const repository = new ScratchRepository(join(home, "repositories", "shop"));
  const env = { ...scratchEnv(home), COUNTERSIGN_GIT_FILE_ROOTS: join(home, "repositories") };
  const dataDir = join(home, "data");
  opening.defer(() => (existsSync(dataDir) ? stopEmbeddedPostgres(dataDir) : undefined));
  const folder = new CliFolder(join(home, "cli"));
  const account = makeFirstAccount(folder, "Ada");
  const hub = await startHubProcess({ env, log: "inherit", progress: () => {}, firstAccount: () => account });
  opening.defer(() => hub.stop());
  const [operator, agent, key] = [folder.token(OPERATOR), folder.token(AGENT), folder.signingKey()];
  if (operator === undefined || agent === undefined || !key) throw new Error("the first account has keys and tokens");
  const rooms = opening.move();
  const tokens = { operator, agent };
  const backUp = () => makeBackup(home, env);
  const host = join(dataDir, "postgres", "data");
  const password = () => readFileSync(join(host, "superuser.password"), "utf8");
  const superuser = { host, port: 5432, user: "postgres", password, database: "countersign" };
  return {
    url: hub.ready.url,
    tokens,
    key,
    repository,
    makeBackup: backUp,
    loseCredential: (name: string) => loseCredential(superuser, name),
    [Symbol.asyncDispose]: () => rooms.disposeAsync(),
  };
}

/** A file that a stopping server removes at the same moment ends one removal early: then the rest is removed by the next. */
function removeFolder(path: string): void {
  for (let tries = 0; existsSync(path) && tries < 20; tries++)
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}
