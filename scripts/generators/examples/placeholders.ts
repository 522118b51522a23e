import type { Json } from "../../../contracts/formats/canonical-json.ts";

/** What differs from run to run, in one pass: a longer kind stands before one that it could hold. */
const VARYING = new RegExp(
  [
    String.raw`(?<armour>-----BEGIN PGP PUBLIC KEY BLOCK-----[^-]*-----END PGP PUBLIC KEY BLOCK-----)`,
    String.raw`(?<minute>\d{4}-\d\d-\d\d \d\d:\d\d UTC)`,
    String.raw`(?<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)`,
    String.raw`(?<uuid>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})`,
    String.raw`(?<secret>\bcs[ic]?_[0-9a-f]{32}_[\w-]{43})`,
    String.raw`(?<hex>\b[0-9a-f]{64}\b|\b[0-9a-f]{32}\b|\b[0-9a-f]{12}(?=…)|(?<=openpgp:)[0-9a-f]{40})`,
    String.raw`(?<base64>(?<![\w+/])[A-Za-z0-9+/]{43,}={0,2})`,
    String.raw`(?<commit>(?<=/commit/)\d+)`,
    String.raw`(?<place>(?<="sequence":)\d+)`,
  ].join("|"),
  "g",
);

/** Numbers that depend on how calls and the hub's own writes fall together, by the member that holds them. */
const COUNTS: Readonly<Record<string, number>> = {
  receipts: 120,
  size: 40,
  position: 20,
  sequence: 20,
  bytes: 65_000,
  records: 900,
};

const TIME = Date.parse("2026-01-02T03:04:05.000Z");
/** Times that lie closer together are told as one: a run takes seconds, what expires does so in hours. */
const GRAIN_MS = 15 * 60_000;
/** What is older than the run was not made by it: a fixed time, such as a commit's. */
const OLDER_MS = 24 * 3_600_000;
const DURATION_MS = 85;
const HEX = "0f1e2d3c4b5a6978".repeat(4);

/**
 * Replaces ids, times, digests, keys, secrets and counts by ones that are the same in every run. An id keeps the same
 * placeholder throughout, so that examples can be read together.
 */
export class Placeholders {
  readonly #began: number;
  readonly #kept: ReadonlySet<string>;
  readonly #uuids = new Map<string, string>();

  readonly #folders: readonly (readonly [string, string])[];

  /** `kept` are digests that are meant as they are; `folders` says what stands for a folder of this machine. */
  constructor({
    began,
    kept,
    folders = {},
  }: {
    readonly began: Date;
    readonly kept: readonly string[];
    readonly folders?: Readonly<Record<string, string>>;
  }) {
    this.#began = began.getTime();
    this.#kept = new Set(kept);
    this.#folders = Object.entries(folders);
  }

  /** One example's worth: counts are told by their order within it. */
  apply(value: Json): Json {
    const counts = new Map<string, Map<number, number>>();
    collect(value, counts);
    return this.#walk(value, "", counts);
  }

  #walk(value: Json, name: string, counts: Counts): Json {
    if (typeof value === "string") return this.#text(value, name, counts);
    if (name === "durationMs" && typeof value === "number") return DURATION_MS;
    if (typeof value === "number") return counts.get(name)?.get(value) ?? value;
    if (Array.isArray(value)) {
      const items = (value as readonly Json[]).map((item) => this.#walk(item, "", counts));
      return name === "inclusion" ? items.slice(0, 1) : items; // its length depends on what else was written
    }
    if (typeof value !== "object" || value === null) return value;
    const members = Object.entries(value).filter(([member]) => member !== "lastUsedAt"); // written some time after
    return Object.fromEntries(members.map(([member, item]) => [member, this.#walk(item, member, counts)]));
  }

  #text(text: string, name: string, counts: Counts): string {
    const placed = this.#folders.reduce((all, [folder, shown]) => all.replaceAll(folder, shown), text);
    const told = placed.replaceAll(VARYING, (_, ...rest) => {
      const { minute, armour, time, uuid, secret, hex, base64, commit } = rest.at(-1) as Partial<
        Record<string, string>
      >;
      if (armour !== undefined) return "(OpenPGP public key block)";
      if (minute !== undefined) return this.#minute(minute);
      if (time !== undefined) return this.#time(time);
      if (uuid !== undefined) return this.#uuid(uuid);
      if (secret !== undefined) return `${secret.split("_")[0]}_${"0".repeat(32)}_${"example".repeat(7).slice(0, 43)}`;
      if (hex !== undefined) return this.#kept.has(`sha256:${hex}`) ? hex : HEX.slice(0, hex.length);
      if (base64 !== undefined) return "(Base64)";
      return commit === undefined ? String(COUNTS.sequence) : "1";
    });
    return name === "summary" ? recounted(told, counts) : told;
  }

  #time(time: string): string {
    const after = Date.parse(time) - this.#began;
    if (after < -OLDER_MS) return time;
    return new Date(TIME + Math.round(after / GRAIN_MS) * GRAIN_MS).toISOString();
  }

  /** As a sentence tells it: `2026-01-02 03:04 UTC`. */
  #minute(minute: string): string {
    const time = this.#time(minute.replace(" UTC", "Z").replace(" ", "T").replace("Z", ":00Z"));
    return `${time.slice(0, 16).replace("T", " ")} UTC`;
  }

  #uuid(uuid: string): string {
    const known = this.#uuids.get(uuid);
    if (known !== undefined) return known;
    const made = `01900000-0000-7000-8000-${String(this.#uuids.size + 1).padStart(12, "0")}`;
    this.#uuids.set(uuid, made);
    return made;
  }
}

type Counts = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Of each counted member, its values in their order: 8, 10 -> 21, 22. */
function collect(value: Json, counts: Map<string, Map<number, number>>): void {
  const found = new Map<string, Set<number>>();
  const walk = (at: Json, name: string): void => {
    if (typeof at === "number" && Object.hasOwn(COUNTS, name)) found.set(name, (found.get(name) ?? new Set()).add(at));
    if (typeof at === "object" && at !== null) for (const [member, item] of Object.entries(at)) walk(item, member);
  };
  walk(value, "");
  for (const [name, values] of found) {
    const ranked = [...values].sort((a, b) => a - b).map((one, i) => [one, (COUNTS[name] ?? 0) + i] as const);
    counts.set(name, new Map(ranked));
  }
}

/** The same counts where a summary speaks of them. */
function recounted(summary: string, counts: Counts): string {
  const all = new Map(Object.keys(COUNTS).flatMap((name) => [...(counts.get(name) ?? [])]));
  return summary.replaceAll(/(?<![\w.:-])\d+(?![\w.:-])/g, (number) => String(all.get(Number(number)) ?? number));
}
