/**
 * Every environment variable the hub and its command line read, each declared once, and the one place that reads
 * them. `contracts/config/env-vars.v1.json` and `docs/CONFIGURATION.md` are generated from this file.
 */
import type { z } from "zod";
import { HubError } from "../errors.ts";
import { nearestName } from "./nearest-name.ts";
import {
  absolutePath,
  baseFolder,
  flag,
  folderList,
  hostList,
  hostName,
  oneOf,
  originList,
  postgresAddress,
  publicAddress,
  searchPath,
  secretText,
  text,
  webAddress,
  wholeNumber,
} from "./value-types.ts";
import { vaultContradictions } from "./vault-variables.ts";

/** What a variable is for; `test` ones are for the project's own tests. */
export type VariableGroup =
  | "folders"
  | "database"
  | "server"
  | "keys"
  | "outgoing connections"
  | "git"
  | "logs"
  | "command line"
  | "system"
  | "test";

export interface Variable<Value = unknown> {
  readonly group: VariableGroup;
  /** The kind of value in a word or two, for the reference page. */
  readonly type: string;
  readonly description: string;
  /** Where unset: a value in the variable's own notation, or `{ text }`, a rule that config.ts applies. */
  readonly default?: string | { readonly text: string };
  readonly secret: boolean;
  readonly schema: z.ZodType<Value, string>;
}

function variable<Value, Default extends Variable["default"] = undefined>(
  declared: Omit<Variable<Value>, "secret" | "default"> & { secret?: boolean; default?: Default },
) {
  return { secret: false, ...declared };
}

export const variables = {
  COUNTERSIGN_DATA_DIR: variable({
    group: "folders",
    type: "path",
    description: "Folder of the embedded database.",
    default: { text: "`$XDG_DATA_HOME/countersign`, else `~/.local/share/countersign`" },
    schema: absolutePath(),
  }),
  COUNTERSIGN_CONFIG_DIR: variable({
    group: "folders",
    type: "path",
    description: "Folder of keys and tokens: the hub's root key in `hub/`, the command line's files in `cli/`.",
    default: { text: "`$XDG_CONFIG_HOME/countersign`, else `~/.config/countersign`" },
    schema: absolutePath(),
  }),
  COUNTERSIGN_ROOT_KEY_FILE: variable({
    group: "folders",
    type: "path",
    description: "File of the root key that wraps every account's keys; it must lie outside the data folder.",
    default: { text: "`hub/root.key` in the configuration folder" },
    schema: absolutePath(),
  }),
  DATABASE_URL: variable({
    group: "database",
    type: "PostgreSQL URL",
    description: "Database to use instead of the embedded one, under the runtime role, which owns nothing.",
    secret: true,
    schema: postgresAddress(),
  }),
  COUNTERSIGN_MIGRATION_URL: variable({
    group: "database",
    type: "PostgreSQL URL",
    description: "The same database under the owner role; it is used for migrations alone.",
    secret: true,
    schema: postgresAddress(),
  }),
  COUNTERSIGN_POOL_SIZE: variable({
    group: "database",
    type: "number",
    description: "Most connections that one hub process opens for calls.",
    default: "10",
    schema: wholeNumber(2, 500),
  }),
  COUNTERSIGN_HOST: variable({
    group: "server",
    type: "host",
    description: "Address to listen on.",
    default: "127.0.0.1",
    schema: hostName(),
  }),
  COUNTERSIGN_PORT: variable({
    group: "server",
    type: "number",
    description: "Port to listen on; 0 takes any free one.",
    default: "7310",
    schema: wholeNumber(0, 65_535),
  }),
  COUNTERSIGN_PUBLIC_URL: variable({
    group: "server",
    type: "URL",
    description:
      "Where people reach the hub, such as through a proxy: links that it gives them begin with it, and its Host and Origin are answered. https, without a path; http on this machine alone.",
    default: { text: "where it listens" },
    schema: publicAddress(),
  }),
  COUNTERSIGN_ALLOWED_HOSTS: variable({
    group: "server",
    type: "list",
    description: "Values of the Host header to answer, beside the address listened on and loopback's names.",
    schema: hostList(),
  }),
  COUNTERSIGN_ALLOWED_ORIGINS: variable({
    group: "server",
    type: "list",
    description: "Values of the Origin header to answer, beside the hub's own.",
    schema: originList(),
  }),
  COUNTERSIGN_MAX_BODY_BYTES: variable({
    group: "server",
    type: "number",
    description: "Largest request body in bytes.",
    default: "4194304",
    schema: wholeNumber(1024, 268_435_456),
  }),
  COUNTERSIGN_MAX_IN_FLIGHT: variable({
    group: "server",
    type: "number",
    description: "Most calls that one hub process works on at a time; more are refused, not queued.",
    default: "256",
    schema: wholeNumber(1, 100_000),
  }),
  COUNTERSIGN_RATE_PER_PRINCIPAL: variable({
    group: "server",
    type: "number",
    description:
      "Calls that one principal may make in a minute, all processes of the hub together, and at once after a quiet minute; 0: no limit.",
    default: "12000",
    schema: wholeNumber(0, 100_000_000),
  }),
  COUNTERSIGN_RATE_PER_ADDRESS: variable({
    group: "server",
    type: "number",
    description:
      "Wrong tokens that one address may send in a minute before unknown tokens from there have to wait; 0: no limit.",
    default: "1200",
    schema: wholeNumber(0, 100_000_000),
  }),
  COUNTERSIGN_TLS_CERT_FILE: variable({
    group: "server",
    type: "path",
    description:
      "Certificate chain in PEM, the hub's own first: the hub serves HTTPS and nothing else, TLS 1.2 at least. Read again when the file changes, and on SIGHUP.",
    schema: absolutePath(),
  }),
  COUNTERSIGN_TLS_KEY_FILE: variable({
    group: "server",
    type: "path",
    description: "The certificate's private key in PEM; refused where other users can read it.",
    schema: absolutePath(),
  }),
  COUNTERSIGN_PLAIN_HTTP: variable({
    group: "server",
    type: "1",
    description:
      "Allows to listen beyond this machine without TLS, where tokens pass in the clear: for a hub behind a proxy that ends TLS.",
    schema: oneOf(["1"]),
  }),
  COUNTERSIGN_DRAIN_SECONDS: variable({
    group: "server",
    type: "number",
    description: "Seconds that running calls have to finish after SIGTERM.",
    default: "25",
    schema: wholeNumber(0, 3600),
  }),
  COUNTERSIGN_IDLE_SECONDS: variable({
    group: "server",
    type: "number",
    description:
      "Seconds without a client after which a hub that `countersign stdio` started ends by itself; 0: never. One that was started with `countersign start` stays.",
    default: "600",
    schema: wholeNumber(0, 604_800),
  }),
  COUNTERSIGN_KEYS: variable({
    group: "keys",
    type: "word",
    description:
      "Where the accounts' keys are: `embedded`, in the database under the root key, or `vault`, in the transit engine of a Vault or OpenBao (docs/KEYS.md). One database stays with one of them.",
    default: "embedded",
    schema: oneOf(["embedded", "vault"]),
  }),
  COUNTERSIGN_ROOT_PASSPHRASE_FILE: variable({
    group: "keys",
    type: "path",
    description:
      "File of the passphrase that protects the root key file, where one does; `countersign start` on a terminal asks for it if unset.",
    schema: absolutePath(),
  }),
  COUNTERSIGN_VAULT_ADDR: variable({
    group: "keys",
    type: "URL",
    description: "Address of the Vault or OpenBao, without a path; http on this machine alone.",
    schema: webAddress(),
  }),
  COUNTERSIGN_VAULT_NAMESPACE: variable({
    group: "keys",
    type: "text",
    description: "Namespace of the transit engine and of the sign-in.",
    schema: text("a namespace such as team/hub", /^[\w.-]+(\/[\w.-]+)*\/?$/),
  }),
  COUNTERSIGN_VAULT_MOUNT: variable({
    group: "keys",
    type: "text",
    description: "Where the transit engine is mounted.",
    default: "transit",
    schema: text("a mount path such as transit", /^[\w.-]+(\/[\w.-]+)*$/),
  }),
  COUNTERSIGN_VAULT_AUTH: variable({
    group: "keys",
    type: "word",
    description: "How to sign in: `token`, `approle` or `jwt`.",
    default: "token",
    schema: oneOf(["token", "approle", "jwt"]),
  }),
  COUNTERSIGN_VAULT_AUTH_MOUNT: variable({
    group: "keys",
    type: "text",
    description: "Where the method of signing in is mounted.",
    default: { text: "as the method is called" },
    schema: text("a mount path such as approle", /^[\w.-]+(\/[\w.-]+)*$/),
  }),
  COUNTERSIGN_VAULT_TOKEN_FILE: variable({
    group: "keys",
    type: "path",
    description: "For `token`: file of the token, read again when the token is refused or cannot be renewed.",
    schema: absolutePath(),
  }),
  COUNTERSIGN_VAULT_ROLE_ID: variable({
    group: "keys",
    type: "text",
    description: "For `approle`: the role id.",
    schema: text("visible ASCII characters without spaces", /^[\x21-\x7e]+$/),
  }),
  COUNTERSIGN_VAULT_SECRET_ID_FILE: variable({
    group: "keys",
    type: "path",
    description: "For `approle`: file of the secret id.",
    schema: absolutePath(),
  }),
  COUNTERSIGN_VAULT_ROLE: variable({
    group: "keys",
    type: "text",
    description: "For `jwt`: the role; the method's own default if unset.",
    schema: text("visible ASCII characters without spaces", /^[\x21-\x7e]+$/),
  }),
  COUNTERSIGN_VAULT_JWT_FILE: variable({
    group: "keys",
    type: "path",
    description: "For `jwt`: file of the token that Kubernetes or another issuer puts there, read at each sign-in.",
    schema: absolutePath(),
  }),
  COUNTERSIGN_VAULT_CA_FILE: variable({
    group: "keys",
    type: "path",
    description: "Certificate authorities in PEM to trust for Vault in place of the system's.",
    schema: absolutePath(),
  }),
  COUNTERSIGN_VAULT_CLIENT_CERT_FILE: variable({
    group: "keys",
    type: "path",
    description: "Certificate in PEM that the hub shows to Vault.",
    schema: absolutePath(),
  }),
  COUNTERSIGN_VAULT_CLIENT_KEY_FILE: variable({
    group: "keys",
    type: "path",
    description: "The certificate's private key in PEM; refused where every user can read it.",
    schema: absolutePath(),
  }),
  COUNTERSIGN_EGRESS_ALLOW: variable({
    group: "outgoing connections",
    type: "list",
    description:
      "Hosts that the hub may connect to although their addresses are private or reserved, each with or without a port.",
    schema: hostList(),
  }),
  COUNTERSIGN_EGRESS_CA_FILE: variable({
    group: "outgoing connections",
    type: "path",
    description: "Certificate authorities to trust in place of the system's, in PEM.",
    schema: absolutePath(),
  }),
  COUNTERSIGN_GIT_FILE_ROOTS: variable({
    group: "git",
    type: "list",
    description: "Folders whose repositories may be registered by a file address, separated by colons.",
    schema: folderList(),
  }),
  COUNTERSIGN_GIT_MAX_MB: variable({
    group: "git",
    type: "number",
    description: "Largest repository in megabytes, its history included.",
    default: "128",
    schema: wholeNumber(1, 16_384),
  }),
  COUNTERSIGN_LOG_LEVEL: variable({
    group: "logs",
    type: "word",
    description: "Least severity that is logged.",
    default: "info",
    schema: oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
  }),
  COUNTERSIGN_LOG_FORMAT: variable({
    group: "logs",
    type: "word",
    description:
      "`json`, one object a line, or `pretty`, for reading: `countersign start` on a terminal takes that if unset.",
    default: "json",
    schema: oneOf(["json", "pretty"]),
  }),
  COUNTERSIGN_URL: variable({
    group: "command line",
    type: "URL",
    description: "Hub that the command line speaks to, in place of the one in its configuration folder.",
    schema: webAddress(),
  }),
  COUNTERSIGN_TOKEN: variable({
    group: "command line",
    type: "token",
    description: "Token that the command line presents, in place of the one in its configuration folder.",
    secret: true,
    schema: secretText(),
  }),
  COUNTERSIGN_CA_FILE: variable({
    group: "command line",
    type: "path",
    description:
      "Certificate authorities in PEM that the command line and the bridge trust beside Node's own; NODE_EXTRA_CA_CERTS does the same.",
    schema: absolutePath(),
  }),
  NO_COLOR: variable({
    group: "system",
    type: "flag",
    description: "Set to anything: the command line prints no colours (https://no-color.org).",
    schema: flag(),
  }),
  HOME: variable({
    group: "system",
    type: "path",
    description: "The user's home, where the two XDG variables are unset.",
    schema: baseFolder(),
  }),
  XDG_DATA_HOME: variable({
    group: "system",
    type: "path",
    description: "Base of the data folder (XDG Base Directory Specification); a relative path is ignored.",
    schema: baseFolder(),
  }),
  XDG_CONFIG_HOME: variable({
    group: "system",
    type: "path",
    description: "Base of the configuration folder (XDG Base Directory Specification); a relative path is ignored.",
    schema: baseFolder(),
  }),
  PATH: variable({
    group: "system",
    type: "list",
    description: "Where the programs git and ssh are looked for; relative folders are ignored.",
    default: { text: "`/usr/local/bin:/usr/bin:/bin`" },
    schema: searchPath(),
  }),
  COUNTERSIGN_TEST_MODE: variable({
    group: "test",
    type: "1",
    description: "Lets this process end itself at a crash point.",
    schema: oneOf(["1"]),
  }),
  COUNTERSIGN_TEST_CRASH_AT: variable({
    group: "test",
    type: "word",
    description:
      "Crash point at which the process kills itself with SIGKILL, of any call or, as `point@action`, of one action's; refused without COUNTERSIGN_TEST_MODE=1.",
    schema: text(
      "the name of a crash point in kebab case, and perhaps @ and an action's name",
      /^[a-z][a-z0-9-]{0,63}(@[a-z][a-z0-9_]{0,63})?$/,
    ),
  }),
  COUNTERSIGN_TEST_CLUSTER_DIR: variable({
    group: "test",
    type: "path",
    description: "Folder of the PostgreSQL cluster that the test files of one run share.",
    schema: absolutePath(),
  }),
  COUNTERSIGN_TEST_VAULT_ADDR: variable({
    group: "test",
    type: "URL",
    description:
      "A Vault or OpenBao that the key service's contract is also tested against; needs the token beside it.",
    schema: webAddress(),
  }),
  COUNTERSIGN_TEST_VAULT_TOKEN: variable({
    group: "test",
    type: "token",
    description: "A token there that may mount a transit engine, or use the one at `transit`.",
    secret: true,
    schema: secretText(),
  }),
} satisfies Record<string, Variable>;

type Variables = typeof variables;
export type VariableName = keyof Variables;
type Value<Name extends VariableName> = z.output<Variables[Name]["schema"]>;
type HasDefault<Name extends VariableName> = Variables[Name] extends { default?: infer D }
  ? Extract<D, string> extends never
    ? false
    : true
  : false;

/** Parsed values by name; unset ones without a default are undefined, secrets are wrapped in `Secret`. */
export type Env = {
  readonly [Name in VariableName]: HasDefault<Name> extends true ? Value<Name> : Value<Name> | undefined;
};

const PREFIX = "COUNTERSIGN_";

/**
 * Reads and checks all variables; one set to the empty string counts as unset.
 * @throws HubError CONFIG_INVALID, naming every unknown `COUNTERSIGN_*` variable and every bad value at once.
 */
export function readEnv(source: Readonly<Record<string, string | undefined>> = process.env): Env {
  const problems = [...unknownVariables(source)];
  const env: Record<string, unknown> = {};
  for (const [name, declared] of Object.entries<Variable>(variables)) {
    const raw = source[name] || (typeof declared.default === "string" ? declared.default : undefined);
    if (raw === undefined) continue;
    const parsed = declared.schema.safeParse(raw);
    if (parsed.success) env[name] = parsed.data;
    else problems.push({ name, sentence: badValue(declared, raw, parsed.error) });
  }
  problems.push(...contradictions(source));
  if (problems.length > 0) throw configInvalid(problems);
  return Object.freeze(env) as Env;
}

/**
 * The environment for a process that this one starts: its own with `overrides`, where undefined unsets a variable.
 * Values of ours are passed on unread; the process checks them itself.
 */
export function inheritedEnv(
  overrides: Readonly<Partial<Record<VariableName, string | undefined>>> = {},
  source: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const all = Object.entries({ ...source, ...overrides });
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

export interface ConfigProblem {
  /** The variable at fault. */
  readonly name: string;
  /** What is wrong with it and what is allowed; never the value of a secret. */
  readonly sentence: string;
}

/** All problems in one error: a person mends them in one go. */
export function configInvalid(problems: readonly ConfigProblem[]): HubError {
  const lines = problems.map(({ name, sentence }) => `  ${name} ${sentence}`);
  return new HubError("CONFIG_INVALID", ["The configuration cannot be used:", ...lines].join("\n"), {
    details: { problems },
  });
}

function* unknownVariables(source: Readonly<Record<string, string | undefined>>): Generator<ConfigProblem> {
  const known = Object.keys(variables);
  for (const name of Object.keys(source).sort()) {
    if (!name.startsWith(PREFIX) || known.includes(name)) continue;
    const nearest = nearestName(name.slice(PREFIX.length), unprefixed(known));
    yield { name, sentence: nearest ? `is unknown; did you mean ${PREFIX}${nearest}?` : "is unknown." };
  }
}

function unprefixed(names: readonly string[]): string[] {
  return names.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
}

function badValue(declared: Variable, raw: string, error: z.ZodError): string {
  const allowed = error.issues[0]?.message ?? declared.type;
  const shown = declared.secret ? "" : `, not ${JSON.stringify(raw.length > 80 ? `${raw.slice(0, 80)}...` : raw)}`;
  return `must be ${allowed}${shown}.`;
}

/** Variables that are well formed, and make no sense together. */
function* contradictions(source: Readonly<Record<string, string | undefined>>): Generator<ConfigProblem> {
  if (source["COUNTERSIGN_MIGRATION_URL"] && !source["DATABASE_URL"]) {
    yield {
      name: "COUNTERSIGN_MIGRATION_URL",
      sentence: "needs DATABASE_URL, the same database under its runtime role.",
    };
  }
  for (const [one, other] of [
    ["COUNTERSIGN_TLS_CERT_FILE", "COUNTERSIGN_TLS_KEY_FILE"],
    ["COUNTERSIGN_TLS_KEY_FILE", "COUNTERSIGN_TLS_CERT_FILE"],
  ] as const)
    if (source[one] && !source[other])
      yield { name: one, sentence: `needs ${other}: one is of no use without the other.` };
  yield* vaultContradictions(source);
  if (source["COUNTERSIGN_TEST_CRASH_AT"] && source["COUNTERSIGN_TEST_MODE"] !== "1") {
    yield { name: "COUNTERSIGN_TEST_CRASH_AT", sentence: "is for tests and needs COUNTERSIGN_TEST_MODE=1." };
  }
}
