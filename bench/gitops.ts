/** The figures of GitOps: a sync after its fetch, the diff alone, applying, memory over many syncs, the largest fleet. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createEgress } from "../server/adapters/egress/egress.ts";
import { openGitMirror } from "../server/adapters/git/git-mirror.ts";
import { itemInWords } from "../server/domain/gitops/item-words.ts";
import { planChanges } from "../server/domain/gitops/plan-changes.ts";
import { type FleetFile, includesOf, readDesiredState } from "../server/domain/gitops/read-fleet-file.ts";
import { OutsideRepository } from "../smoke/outside/repository.ts";
import { declaredAndLive, type FleetSize, fleetFiles } from "./gitops-fleet.ts";
import { type AppliedTimes, GitopsOperator } from "./gitops-hub.ts";
import { median, type Row } from "./report.ts";
import { type ScratchHub, scratchFolder, startScratchHub } from "./scratch-hub.ts";

const NAME = "bench";
const SYNCS = 50;
const FIRST_SYNCS = 10;

interface Scale extends FleetSize {
  readonly rounds: number;
  readonly most: FleetSize;
}

/** `quick` proves in seconds that the benchmark runs; its figures mean nothing. */
export async function gitops({ quick }: { quick: boolean }): Promise<Row[]> {
  const scale: Scale = quick
    ? { objects: 40, files: 4, rounds: 1, most: { objects: 60, files: 4 } }
    : { objects: 1_000, files: 20, rounds: 5, most: { objects: 5_000, files: 50 } };
  using home = scratchFolder();
  const roots = join(home.path, "repositories");
  const env = { COUNTERSIGN_GIT_FILE_ROOTS: roots };
  const rows: Row[] = diffAlone(scale);
  {
    await using scratch = await startScratchHub(home.path, env);
    rows.push(...(await syncAndApply(scratch, roots, home.path, scale)));
  }
  {
    await using scratch = await startScratchHub(home.path, env);
    rows.push(...(await manySyncs(scratch, roots, scale, quick ? 15 : SYNCS)));
  }
  await using scratch = await startScratchHub(home.path, env);
  rows.push(...(await largest(scratch, roots, scale.most)));
  return rows;
}

/** In this process, and nothing of the hub. The yardstick: the same objects to JSON and back. */
function diffAlone({ objects, files, rounds }: Scale): Row[] {
  const size = { objects, files };
  const { live, declared: same } = declaredAndLive(NAME, fleetFiles(NAME, size, 0));
  const { declared: changed } = declaredAndLive(NAME, fleetFiles(NAME, size, 1));
  const plan = (declared: typeof same) => planChanges({ repository: NAME, declared, live, referrals: [] });
  if (plan(changed).counts.update !== objects || plan(same).counts.unchanged !== objects)
    throw new Error("the benchmark's fleets are not what they should be");
  const all = () => plan(changed);
  const none = () => plan(same);
  const words = () => plan(changed).items.changes.map(itemInWords);
  const json = () => JSON.parse(JSON.stringify(changed.map(({ object }) => object)));
  for (let i = 0; i < 3; i++) for (const warm of [all, none, words, json]) warm();
  const times = Array.from({ length: rounds * 5 }, () => ({
    all: milliseconds(all),
    none: milliseconds(none),
    words: milliseconds(words),
    json: milliseconds(json),
  }));
  const count = objects.toLocaleString("en");
  const of = (what: "all" | "none" | "words" | "json") => median(times.map((time) => time[what]));
  return [
    { what: `diff of ${count} objects, each of them changed`, value: of("all"), unit: "ms", target: "< 200" },
    { what: "the same, none changed", value: of("none"), unit: "ms", target: "< 200" },
    { what: "each changed, with every field in words", value: of("words"), unit: "ms" },
    { what: "yardstick: the declared objects to JSON and back", value: of("json"), unit: "ms" },
    {
      what: "diff, each changed, by the yardstick",
      value: median(times.map((time) => time.all / time.json)),
      unit: "times",
    },
  ];
}

/** Every round a commit changes each object; it is synced, then applied. The first round creates them. */
async function syncAndApply(scratch: ScratchHub, roots: string, home: string, scale: Scale): Promise<Row[]> {
  const { objects, rounds } = scale;
  const mirror = await ownMirror(home, roots);
  const creates: AppliedTimes[] = [];
  const updates: AppliedTimes[] = [];
  const syncs: { readonly whole: number; readonly fetch: number; readonly read: number }[] = [];
  const operator = new GitopsOperator(scratch);
  for (let repository = 0; repository < rounds; repository++) {
    const name = `${NAME}-${repository}`;
    const origin = new OutsideRepository(join(roots, name));
    await operator.register(name, origin.url);
    for (let round = 0; round < 2; round++) {
      origin.commit(contentOf(fleetFiles(name, scale, round)), `Round ${round}`);
      const run = await operator.sync(name);
      const whole = run.durationMs ?? Number.NaN;
      const again = await mirror(name, origin.url);
      const times = await operator.apply(run);
      (round === 0 ? creates : updates).push(times);
      if (round > 0) syncs.push({ whole, ...again });
    }
  }
  const count = objects.toLocaleString("en");
  const after = syncs.map(({ whole, fetch }) => (whole - fetch) / 1_000);
  const of = (what: "whole" | "fetch" | "read") => median(syncs.map((sync) => sync[what])) / 1_000;
  return [
    { what: `sync of a commit that changes ${count} live objects, asked to recorded`, value: of("whole"), unit: "s" },
    { what: "of it the fetch (a mirror's own, of the same commits)", value: of("fetch"), unit: "s" },
    { what: "sync after the fetch (the difference)", value: median(after), unit: "s", target: "< 2" },
    {
      what: `reading the ${scale.files + 1} files out of Git and checking them, warm in one process`,
      value: of("read"),
      unit: "s",
    },
    ...rowsOf(`apply of ${count} creates`, creates, "< 2"),
    ...rowsOf(`apply of ${count} updates`, updates, "< 2"),
  ];
}

function rowsOf(what: string, times: readonly AppliedTimes[], target?: string): Row[] {
  const of = (part: keyof AppliedTimes) => median(times.map((time) => time[part])) / 1_000;
  return [
    { what: `${what}, decision to executed`, value: of("decided"), unit: "s", ...(target && { target }) },
    { what: "of it intent to outcome", value: of("carriedOut"), unit: "s" },
    { what: "asking for it (judged object by object, preview made)", value: of("asking"), unit: "s" },
  ];
}

/** The hub's way with Git in this process: fetches, then reads what the head declares; milliseconds of both. */
async function ownMirror(home: string, roots: string) {
  const egress = createEgress({ allow: [] });
  const git = await openGitMirror({ folder: join(home, "mirrors"), fileRoots: [roots], maxBytes: 2 ** 30, egress });
  const options = { signal: AbortSignal.timeout(600_000), progress: () => {} };
  return async (repositoryId: string, url: string) => {
    const began = performance.now();
    const { id } = await git.fetch({ repositoryId, url, branch: "main" }, options);
    const fetched = performance.now();
    readDesiredState(await git.readFiles(repositoryId, id, "fleet.yaml", includesOf));
    return { fetch: fetched - began, read: performance.now() - fetched };
  };
}

/** Each sync finds a commit that changes every object, and supersedes what the one before proposed. */
async function manySyncs(scratch: ScratchHub, roots: string, scale: Scale, syncs: number): Promise<Row[]> {
  const operator = new GitopsOperator(scratch);
  const name = `${NAME}-0`;
  const origin = new OutsideRepository(join(roots, name));
  const resident: number[] = [];
  for (let i = 0; i < syncs; i++) {
    origin.commit(contentOf(fleetFiles(name, scale, 100 + i)), `Sync ${i}`);
    await operator.sync(name);
    resident.push(residentMb(scratch));
  }
  // the collector lets it rise and fall, so that a few samples at each end would tell of that alone
  const later = resident.slice(FIRST_SYNCS);
  const half = Math.floor(later.length / 2);
  const [early, late] = [median(later.slice(0, half)), median(later.slice(-half))];
  const middle = FIRST_SYNCS + half;
  return [
    { what: `hub process, resident, over syncs ${FIRST_SYNCS + 1} to ${middle}`, value: early, unit: "MB" },
    { what: `the same over syncs ${syncs - half + 1} to ${syncs}`, value: late, unit: "MB" },
    { what: "growth", value: late / early, unit: "times", target: "<= 1.1" },
  ];
}

async function largest(scratch: ScratchHub, roots: string, size: FleetSize): Promise<Row[]> {
  const operator = new GitopsOperator(scratch);
  const name = "largest";
  const origin = new OutsideRepository(join(roots, name));
  await operator.register(name, origin.url);
  origin.commit(contentOf(fleetFiles(name, size, 0)), "All of it");
  const run = await operator.sync(name);
  const count = size.objects.toLocaleString("en");
  return [
    {
      what: `sync of ${count} new objects, asked to recorded, once`,
      value: (run.durationMs ?? Number.NaN) / 1_000,
      unit: "s",
    },
    ...rowsOf(`apply of ${count} creates, once`, [await operator.apply(run)]),
    { what: "hub process afterwards, resident", value: residentMb(scratch), unit: "MB" },
  ];
}

const contentOf = (files: readonly FleetFile[]) => Object.fromEntries(files.map(({ path, text }) => [path, text]));

function milliseconds(what: () => unknown): number {
  const began = performance.now();
  what();
  return performance.now() - began;
}

function residentMb({ hub }: ScratchHub): number {
  const status = readFileSync(`/proc/${hub.child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
