import type { CedarType, CedarValueJson } from "./cedar-engine.ts";

/** A string format that Cedar has a type for, with the conversion into it. */
export interface StringFormat {
  readonly type: CedarType;
  readonly show: (value: string) => CedarValueJson;
}

const STRING: CedarType = { type: "String" };
const PLAIN: StringFormat = { type: STRING, show: (value) => value };

const URL_PARTS: StringFormat = {
  type: {
    type: "Record",
    attributes: {
      href: STRING,
      scheme: STRING,
      host: STRING,
      path: STRING,
      port: { type: "Long", required: false },
    },
  },
  show: urlParts,
};

const DATETIME: StringFormat = { type: { type: "Extension", name: "datetime" }, show: plainTime };
const IP: StringFormat = { type: { type: "Extension", name: "ipaddr" }, show: plainIp };

/**
 * How policies see a string of this JSON Schema format: `uri` in its parts, moments and addresses as Cedar's own types
 * (so that they compare), everything else as it is. Undefined where neither is right.
 */
export function stringFormat(format: string | undefined): StringFormat | undefined {
  switch (format) {
    case "uri":
      return URL_PARTS;
    case "date-time":
    case "date":
      return DATETIME;
    case "ipv4":
    case "ipv6":
      return IP;
    case "cidrv4":
    case "cidrv6":
      return undefined; // Cedar's ranges miss IPv4 ranges in IPv6 clothes
    default:
      return PLAIN;
  }
}

/** In parts, because `like "https://good.example*"` on the whole also matches https://good.example.evil.test. */
function urlParts(value: string): CedarValueJson {
  const url = new URL(value);
  url.username = "";
  url.password = "";
  return {
    href: url.href,
    scheme: url.protocol.slice(0, -1),
    host: url.hostname,
    path: url.pathname,
    ...(url.port === "" ? {} : { port: Number(url.port) }),
  };
}

/** Cedar wants UTC with three digits of a second. A day is its first moment. */
function plainTime(value: string): string {
  return new Date(value).toISOString();
}

/** ::ffff:10.0.0.1 is 10.0.0.1 and must meet its rules; Cedar refuses one of its spellings and misses the other. */
function plainIp(value: string): string {
  if (!value.includes(":")) return value;
  const address = new URL(`http://[${value}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address);
  if (!mapped) return address;
  const bytes = [mapped[1], mapped[2]].flatMap((half) => {
    const number = Number.parseInt(half ?? "", 16);
    return [number >> 8, number & 255];
  });
  return bytes.join(".");
}
