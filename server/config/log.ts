import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import type { Config } from "./config.ts";

export type { Logger } from "pino";

/**
 * The hub's log: one JSON object a line on standard error, times in UTC. Whatever is logged, tokens, passwords and the
 * values of fields that hold secrets are taken out of the finished line: no call can forget to.
 */
export function createLog({ level, format }: Config["log"], destination?: DestinationStream): Logger {
  const shape = format === "pretty" ? readable : (line: string) => line;
  return pino(
    {
      level,
      base: { service: "countersign" },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => shape(withoutSecrets(line)) },
    },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
}

/** Tokens (`cs_`) and invitation codes (`csi_`). */
const TOKEN = /(?<![A-Za-z0-9])(csi?_)[A-Za-z0-9_-]{6,}/g;
const BEARER = /\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi;
const URL_PASSWORD = /(:\/\/[^\s:/@"]*):[^\s/@"]+@/g;
/** A member whose name says that it is secret, with a text as its value: `"authorization":"..."`. */
const SECRET_MEMBER =
  /"((?:proxy-)?authorization|(?:set-)?cookie|(?:[a-z]*_?)(?:token|secret|password|passphrase|privatekey|seed))":"(?:[^"\\]|\\.)*"/gi;

/** A line without what must not be read in it. Works on text, so that depth, message and stack are all covered. */
export function withoutSecrets(line: string): string {
  return line
    .replace(SECRET_MEMBER, '"$1":"[redacted]"')
    .replace(TOKEN, "$1[redacted]")
    .replace(BEARER, "$1 [redacted]")
    .replace(URL_PASSWORD, "$1:[redacted]@");
}

/** What a terminal obeys instead of showing: C0, C1, line separators, and what turns the direction of text around. */
const CONTROL = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Control characters as JSON writes them, so that nothing that is logged moves the cursor or begins a line. */
function shown(text: string): string {
  return text.replace(CONTROL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** All lines but the first stand in: a line of an error's message cannot be taken for the log's own. */
function shownStack(stack: string): string {
  const [first = "", ...more] = stack.split("\n").map(shown);
  return [first, ...more.map((line) => (line.startsWith("    ") ? line : `    ${line}`))].join("\n");
}

/** For a terminal: time, level, message, then the facts. */
function readable(line: string): string {
  const { time, level, msg, service: _, err, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const told = Object.entries(facts).map(
    ([name, value]) => ` ${shown(name)}=${shown(typeof value === "string" ? value : JSON.stringify(value))}`,
  );
  const stack = err instanceof Object && "stack" in err ? `\n${shownStack(String(err.stack))}` : "";
  return `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${typeof msg === "string" ? shown(msg) : ""}${told.join("")}${stack}\n`;
}
