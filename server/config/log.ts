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

const TOKEN = /(?<![A-Za-z0-9])cs_[A-Za-z0-9_-]{6,}/g;
const BEARER = /\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi;
const URL_PASSWORD = /(:\/\/[^\s:/@"]*):[^\s/@"]+@/g;
/** A member whose name says that it is secret, with a text as its value: `"authorization":"..."`. */
const SECRET_MEMBER =
  /"((?:proxy-)?authorization|(?:set-)?cookie|(?:[a-z]*_?)(?:token|secret|password|passphrase|privatekey|seed))":"(?:[^"\\]|\\.)*"/gi;

/** A line without what must not be read in it. Works on text, so that depth, message and stack are all covered. */
export function withoutSecrets(line: string): string {
  return line
    .replace(SECRET_MEMBER, '"$1":"[redacted]"')
    .replace(TOKEN, "cs_[redacted]")
    .replace(BEARER, "$1 [redacted]")
    .replace(URL_PASSWORD, "$1:[redacted]@");
}

/** For a terminal: time, level, message, then the facts. */
function readable(line: string): string {
  const { time, level, msg, service: _, err, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const told = Object.entries(facts).map(
    ([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const stack = err instanceof Object && "stack" in err ? `\n${String(err.stack)}` : "";
  return `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${typeof msg === "string" ? msg : ""}${told.join("")}${stack}\n`;
}
