/** The kinds of value that an environment variable may hold: each reads a non-empty string and says what it allows. */
import { delimiter, isAbsolute } from "node:path";
import { z } from "zod";
import { Secret } from "./secret.ts";

const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f]*:[0-9a-f:.]*)$/i;
const HOST_WITH_PORT = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::\d{1,5})?$/i;
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\]+$/i;

export function text(allowed: string, pattern: RegExp) {
  return z.string().regex(pattern, { error: allowed });
}

export function wholeNumber(least: number, most: number) {
  const allowed = `a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: allowed })
    .transform(Number)
    .refine((value) => value >= least && value <= most, { error: allowed });
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `one of ${values.join(", ")}` });
}

/** Absolute, because a hub and its bridges start in different working folders and must mean the same one. */
export function absolutePath() {
  return z.string().refine((value) => isAbsolute(value) && !value.includes("\0"), { error: "an absolute path" });
}

/** Folders as PATH has them: separated by colons; commas do too. */
export function folderList() {
  return z
    .string()
    .transform((value) => value.split(/[:,]/).map((item) => item.trim()))
    .refine((items) => items.every((item) => isAbsolute(item) && !item.includes("\0")), {
      error: "absolute paths of folders, separated by colons",
    });
}

/** Where programs are looked for. What is relative would mean another folder in each process: it is left out. */
export function searchPath() {
  return z.string().transform((value) => value.split(delimiter).filter(isAbsolute).join(delimiter) || undefined);
}

/** A base folder of the XDG specification, which says that a relative one is to be ignored. */
export function baseFolder() {
  return z.string().transform((value) => (isAbsolute(value) ? value : undefined));
}

export function hostName() {
  return text("a host name or an IP address", HOST);
}

export function hostList() {
  return list("host names, each with or without a port, separated by commas", HOST_WITH_PORT);
}

export function originList() {
  return list("origins such as https://example.org, without a path, separated by commas", ORIGIN);
}

function list(allowed: string, pattern: RegExp) {
  return z
    .string()
    .transform((value) => value.split(",").map((item) => item.trim().toLowerCase()))
    .refine((items) => items.every((item) => pattern.test(item)), { error: allowed });
}

export function webAddress() {
  return z.string().refine((value) => isUrlOf(value, ["http:", "https:"]), { error: "an http or https URL" });
}

/** Where others are sent to: an origin of https, or of http on this machine. */
export function publicAddress() {
  const allowed = "an https address without a path, such as https://hub.example.org; http on this machine alone";
  return z
    .string()
    .refine(isPublicAddress, { error: allowed })
    .transform((value) => {
      const { host, origin } = new URL(value);
      return { host, origin };
    });
}

function isPublicAddress(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  const isOrigin = url.href === `${url.origin}/` && !/[?#@\\]/.test(value);
  const isLoopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  return isOrigin && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback));
}

export function postgresAddress() {
  const allowed = "a PostgreSQL URL: postgresql://role:password@host:5432/database";
  return z
    .string()
    .refine((value) => isUrlOf(value, ["postgres:", "postgresql:"]), { error: allowed })
    .transform((value) => new Secret(value));
}

export function secretText() {
  const allowed = "visible ASCII characters without spaces";
  return z
    .string()
    .regex(/^[\x21-\x7e]+$/, { error: allowed })
    .transform((value) => new Secret(value));
}

/** Set or not: what it is set to does not matter. */
export function flag() {
  return z.string().transform(() => true);
}

function isUrlOf(value: string, protocols: readonly string[]): boolean {
  return URL.canParse(value) && protocols.includes(new URL(value).protocol);
}
