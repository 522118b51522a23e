/**
 * Who may import whom, as a table. A file belongs to the zone with the longest matching folder; it may import its own
 * zone and those listed. What is not listed is refused, so that a new folder has to say where it stands.
 */

interface Zone {
  /** A folder or file from the root; `*` stands for one name, and each such folder is a zone of its own. */
  readonly folder: string;
  /** Folders and files it may import; "*" is everything. */
  readonly may: readonly string[];
  /** Folders it may import types from, which leave nothing behind at run time. */
  readonly types?: readonly string[];
  /** Why, for the message. */
  readonly because: string;
}

const BASE = ["contracts", "server/errors.ts"];
/** Every layer above domain may be killed by a test where it matters. */
const CRASH = "server/config/crash-point.ts";
/** Ports stand beside their one consumer; an adapter may name their types, which leave nothing behind at run time. */
const PORTS = ["server/approval", "server/authorization", "server/journal", "server/adapters", "server/config"];
const LAYERED = "domain knows no layer above it; it declares ports, and others implement them";
const GUARDS = "guards implement what server/action declares, and know neither each other nor the doors";

const zones: readonly Zone[] = [
  { folder: "contracts", may: ["server/errors.ts"], because: "contracts are shapes alone" },
  { folder: "server/errors.ts", may: [], because: "every file may import it, so it imports nothing" },
  { folder: "server/config", may: BASE, because: "configuration comes before everything else" },
  { folder: "server/domain", may: BASE, because: LAYERED },
  {
    folder: "server/action",
    may: [...BASE, CRASH, "server/domain"],
    because: "the gate knows domain and what guards it",
  },
  {
    folder: "server/authorization",
    // one engine judges both sections of a policy document: an intervention rule's condition is Cedar too
    may: [...BASE, "server/domain", "server/action", "server/approval/intervention.ts"],
    because: GUARDS,
  },
  { folder: "server/approval", may: [...BASE, CRASH, "server/domain", "server/action"], because: GUARDS },
  { folder: "server/journal", may: [...BASE, CRASH, "server/domain", "server/action"], because: GUARDS },
  {
    folder: "server/adapters/*",
    may: [...BASE, "server/domain", "server/action", "server/adapters/egress"],
    types: PORTS,
    because: "an adapter implements ports of domain or action, and reaches out through egress alone",
  },
  {
    folder: "server/adapters/postgres",
    may: [...BASE, CRASH, "server/domain", "server/action", "prisma"],
    types: PORTS,
    because: "an adapter implements ports of domain or action",
  },
  {
    folder: "server/jobs",
    may: [...BASE, CRASH, "server/action", "server/domain/approvals", "server/domain/operations"],
    types: ["server/domain", "server/config"],
    because: "a job advances state rows; it reaches a handler through the gate alone",
  },
  {
    folder: "server/transport",
    may: [...BASE, "server/action"],
    types: ["server/domain", "server/config"],
    because: "a door reaches a handler through the gate alone",
  },
  { folder: "server/open-key-service.ts", may: ["*"], because: "a part of the composition root" },
  { folder: "server/main.ts", may: ["*"], because: "the composition root imports everything" },
  { folder: "tools", may: [...BASE, "server/domain", "server/action"], because: "a tool is one declaration" },
  {
    folder: "cli",
    may: [...BASE, "server/config"],
    because: "the command line speaks to the hub over the wire",
  },
  ...["doctor", "recover", "journal", "backup"].map((verb) => ({
    folder: `cli/commands/${verb}`,
    may: ["*"],
    because: "this verb may open the hub or its database",
  })),
  {
    folder: "cli/commands/keys/root-rotate",
    may: ["*"],
    because: "the root key is replaced where it lies, together with what it wraps in the database",
  },
  {
    folder: "cli/demo/scratch-database",
    may: ["*"],
    because: "the demo plays the intruder in a database of its own",
  },
  {
    folder: "prisma",
    may: [...BASE, "server/adapters/postgres"],
    because: "migrations and the database adapter stand below the hub",
  },
  { folder: "smoke", may: ["contracts"], because: "smoke checks see the hub from outside" },
  { folder: "verifier", may: [], because: "a verifier that shares our code proves nothing" },
  { folder: "seeds", may: [...BASE, "server/action"], because: "seeds go through the gate" },
  { folder: "bench", may: ["*"], because: "benchmarks measure any layer" },
  { folder: "scripts", may: ["*"], because: "tooling" },
  { folder: "bin", may: ["cli"], because: "the launcher starts the command line" },
];

/** Packages that only some folders may import. */
const packages: readonly { name: RegExp; only: readonly string[]; because: string }[] = [
  {
    name: /^(pg|@prisma\/(client|adapter-pg|driver-adapter-utils|schema-engine-wasm)|prisma)(\/|$)/,
    only: ["server/adapters/postgres", "prisma", "bench", "scripts"],
    because: "the database is reached through server/adapters/postgres",
  },
  {
    name: /^(undici|axios|got|node-fetch|ws)(\/|$)/,
    only: ["server/adapters/egress", "bench", "smoke", "scripts"],
    because: "outgoing connections go through server/adapters/egress",
  },
  {
    name: /^(node-vault|axios)(\/|$)/,
    only: ["server/adapters/vault"],
    because: "Vault is reached by server/adapters/vault, over connections of egress, with nothing logged",
  },
  {
    name: /^simple-git(\/|$)/,
    only: ["server/adapters/git", "bench", "smoke", "scripts"],
    because: "git is run by server/adapters/git, which shuts off what it could be made to do",
  },
];

/** Tests and what supports them fake or open what they need. */
const TEST = /(\.test\.ts|[.-](fixture|contract)\.ts|\/fixtures\/.*|(^|\/)(test|fake)-[^/]+\.ts)$/;
/** These stay what they are for in their tests too. */
const STRICT_TESTS = ["smoke", "verifier"];

/**
 * Why `file` may not import `target`, or undefined where it may.
 * @param file from the root, with forward slashes
 * @param target likewise, or the name of a package
 */
export function refusal(file: string, target: { path: string } | { package: string }, typesOnly: boolean) {
  if (TEST.test(file) && !STRICT_TESTS.some((folder) => isIn(file, folder))) return undefined;
  const zone = zoneOf(file);
  if (zone === undefined) return `${file} is in no zone of scripts/lint/zones.ts; give its folder a place there`;
  if ("package" in target) {
    const rule = packages.find(
      ({ name, only }) => name.test(target.package) && !only.some((place) => isIn(file, place)),
    );
    return rule && `${zone.folder} may not import ${target.package}: ${rule.because}`;
  }
  // benchmarks measure against the tests' stand-ins of other systems
  if (TEST.test(target.path) && zone.folder !== "bench") return `${target.path} is for tests; ${file} is not one`;
  const allowed = [...zone.may, ...(typesOnly ? (zone.types ?? []) : [])];
  if (allowed.includes("*") || sameZone(file, target.path, zone)) return undefined;
  if (allowed.some((folder) => isIn(target.path, folder))) return undefined;
  return `${zone.folder} may not import ${target.path}: ${zone.because}`;
}

function zoneOf(file: string): Zone | undefined {
  const matching = zones.filter(({ folder }) => ownFolder(file, folder) !== undefined);
  return matching.toSorted((a, b) => precision(b.folder) - precision(a.folder))[0];
}

/** Longer is more precise, and a name is more precise than `*`. */
function precision(folder: string): number {
  return folder.split("/").length * 2 - (folder.endsWith("*") ? 1 : 0);
}

function sameZone(file: string, target: string, zone: Zone): boolean {
  const own = ownFolder(file, zone.folder);
  return own !== undefined && isIn(target, own);
}

/** The part of `file` that the zone's folder matches: `server/adapters/vault` for `server/adapters/*`. */
function ownFolder(file: string, folder: string): string | undefined {
  const names = file.split("/");
  const wanted = folder.split("/");
  const matches = wanted.every((name, index) => name === "*" || name === names[index] || isFile(name, names[index]));
  return matches ? names.slice(0, wanted.length).join("/") : undefined;
}

/** `cli/start` is also the file `cli/start.ts`. */
function isFile(name: string, found: string | undefined): boolean {
  return found === `${name}.ts`;
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`) || path === `${folder}.ts`;
}
