/**
 * Fuzzes the doors of a hub of its own: `npm run fuzz -- --runs 100000 --seed 7`, or `--seconds 20`. The same seed sends
 * the same requests; `--from N --runs 1` repeats one of them. There must be no crash, no hang, nothing of the hub's inside
 * in an answer, and no call that was answered and is not in the journal.
 */
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CliFolder } from "../cli/cli-folder.ts";
import { AGENT, OPERATOR } from "../cli/context.ts";
import { makeFirstAccount } from "../cli/first-account.ts";
import { type HubProcess, startHubProcess } from "../cli/hub-process.ts";
import { scratchEnv } from "../cli/scratch-env.ts";
import { Database } from "../server/adapters/postgres/database.ts";
import { joinEmbeddedPostgres, stopEmbeddedPostgres } from "../server/adapters/postgres/embedded-postgres.ts";
import { actions } from "../tools/index.ts";
import { judge } from "./fuzz/judge.ts";
import { Random } from "./fuzz/random.ts";
import { makeRequest, type Target } from "./fuzz/requests.ts";
import { send } from "./fuzz/send.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
  },
});
const seed = Number(values.seed);
const from = Number(values.from);
const until = from + Number(values.runs ?? (values.seconds === undefined ? 10_000 : Number.MAX_SAFE_INTEGER));
const limitMs = values.seconds === undefined ? Number.POSITIVE_INFINITY : Number(values.seconds) * 1000;

/** Requests under way at a time. */
const AT_A_TIME = 8;
/** Faults that are shown; more of them are of the same few kinds. */
const SHOWN = 10;

/**
 * What changes who may call: the others would be refused for the rest of the run. And what reads the whole journal, which
 * is a hundred thousand receipts by then.
 */
const LEFT_OUT = /_(ban|revoke|set_profile|accept_invitation|policy_put|journal_verify)/;

/** Outcomes, by the call and by the trace of the request that brought it. */
const RECORDED = `select call_id as id, substring(convert_from(statement, 'utf8') from '"traceId":"([0-9a-f]{32})"') as trace
  from receipt where phase = 'outcome'`;

const home = mkdtempSync(join(tmpdir(), "countersign-fuzz-"));
chmodSync(home, 0o711); // as root, PostgreSQL runs as another user, who must get through
const dataDir = join(home, "data");
const logFile = join(home, "hub.log");
const faults: string[] = [];
const outcomes = new Map<string, number>();
/** Calls that an answer named. */
const callIds = new Set<string>();
/** Traces of calls that were answered, whatever with, and where each stands in the run. */
const traces = new Map<string, number>();

try {
  process.exitCode = await fuzz();
} finally {
  await stopEmbeddedPostgres(dataDir);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}

async function fuzz(): Promise<number> {
  const folder = new CliFolder(join(home, "config", "cli"));
  const hub = await start(folder);
  const target: Target = {
    tokens: [OPERATOR, AGENT].map((name) => folder.token(name) as string),
    tools: actions.filter(({ channels, name }) => isOpen(channels) && !LEFT_OUT.test(name)).map(({ name }) => name),
  };
  const began = performance.now();
  const sent = await sendAll(hub, target);
  const seconds = (performance.now() - began) / 1000;
  await checkAlive(hub);
  const receipts = await checkJournal();
  await hub.stop();
  checkLog();
  return report(sent, seconds, receipts);
}

function isOpen(channels: readonly string[]): boolean {
  return channels.includes("mcp") && channels.includes("http");
}

async function start(folder: CliFolder): Promise<HubProcess> {
  const log = openSync(logFile, "a", 0o600);
  try {
    return await startHubProcess({
      env: {
        ...scratchEnv(home),
        COUNTERSIGN_LOG_FORMAT: "json",
        // two principals and one address send all of it
        COUNTERSIGN_RATE_PER_PRINCIPAL: "0",
        COUNTERSIGN_RATE_PER_ADDRESS: "0",
      },
      log,
      progress: () => {},
      firstAccount: () => makeFirstAccount(folder, "fuzz"),
    });
  } finally {
    closeSync(log);
  }
}

/** Answers with how many were sent. */
async function sendAll(hub: HubProcess, target: Target): Promise<number> {
  const port = Number(new URL(hub.ready.url).port);
  const end = performance.now() + limitMs;
  let next = from;
  const one = async () => {
    while (next < until && performance.now() < end && hub.child.exitCode === null) {
      const place = next++;
      const { kind, bytes, traceId } = makeRequest(new Random(seed, place), target);
      const reply = await send(port, bytes, { halfClose: kind === "framing" });
      const { outcome, callIds: named, fault } = judge(kind, reply);
      for (const id of named) callIds.add(id);
      if (kind === "call") traces.set(traceId, place);
      const line = `${kind.padEnd(8)} ${outcome}`;
      outcomes.set(line, (outcomes.get(line) ?? 0) + 1);
      if (fault !== undefined)
        faults.push(
          `${fault}: --seed ${seed} --from ${place} --runs 1\n${shown(bytes.toString("latin1"))}\n-> ${shown(reply.text)}`,
        );
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
  return next - from;
}

async function checkAlive(hub: HubProcess): Promise<void> {
  const status = await fetch(new URL("/readyz", hub.ready.url)).then(
    (answer) => answer.status,
    (error: Error) => error.message,
  );
  if (status !== 200) faults.push(`the hub is not ready afterwards: ${status}`);
  if (hub.child.exitCode !== null) faults.push(`the hub ended, with ${hub.child.exitCode}`);
}

/** Each call, and each that an answer named, has its outcome in the journal. Answers with how many there are. */
async function checkJournal(): Promise<number> {
  const embedded = await joinEmbeddedPostgres(dataDir);
  const database = new Database({ ...embedded.superuser, database: "countersign" }, { poolSize: 1 });
  try {
    for (let looks = 0; ; looks++) {
      const { rows } = await database.query<{ id: string; trace: string | null }>(RECORDED);
      const recorded = new Set(rows.flatMap(({ id, trace }) => [id, trace]));
      const missing = [
        ...[...callIds].filter((id) => !recorded.has(id)),
        ...[...traces].filter(([trace]) => !recorded.has(trace)).map(([, place]) => `that of --from ${place}`),
      ];
      if (missing.length === 0) return rows.length;
      // outcomes of reads are durable within a second
      if (looks < 20) await new Promise((resolve) => setTimeout(resolve, 250));
      else {
        faults.push(`${missing.length} calls were answered and have no receipt, such as ${missing[0]}`);
        return rows.length;
      }
    }
  } finally {
    await database.close();
    await embedded.release();
  }
}

/** What the hub itself took for a fault of its own. */
function checkLog(): void {
  const lines = readFileSync(logFile, "utf8").split("\n");
  // a library's deprecations are no fault of the doors
  for (const line of lines)
    if (/"level":"(error|fatal)"/.test(line) || /^(?!\{|\(node:\d+\) \w*Warning|\(Use `node).+/.test(line))
      faults.push(`logged: ${shown(line)}`);
}

function report(sent: number, seconds: number, receipts: number): number {
  for (const [line, count] of [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${String(count).padStart(8)}  ${line}`);
  for (const fault of faults.slice(0, SHOWN)) console.error(`\nFAULT ${fault}`);
  console.log(
    `\n${sent} requests in ${seconds.toFixed(1)} s, seed ${seed}: ${traces.size} calls, ${callIds.size} receipts named in answers, ` +
      `${receipts} outcomes in the journal, ${faults.length} faults`,
  );
  const proven = callIds.size > 0 || until - from === 1;
  if (!proven) console.error("nothing was proven");
  return faults.length > 0 || !proven ? 1 : 0;
}

function shown(text: string): string {
  const short = text.length > 1500 ? `${text.slice(0, 1500)}...` : text;
  return JSON.stringify(short.replaceAll(/(cs_[0-9a-f]{8})[A-Za-z0-9_-]+/g, "$1..."));
}
