import { fileURLToPath, pathToFileURL } from "node:url";
import { HubError } from "../../errors.ts";
import { hostForUrl, readHost } from "../egress/host-name.ts";

/** Where a repository is fetched from: an address that was read once, and is written the same way ever after. */
export type RepositoryAddress =
  | { readonly scheme: "https"; readonly url: string; readonly host: string }
  | { readonly scheme: "ssh"; readonly url: string; readonly host: string; readonly port: number }
  | { readonly scheme: "file"; readonly url: string; readonly folder: string };

const LONGEST = 2048;
const SSH_USER = /^[a-z0-9_][a-z0-9._-]{0,63}$/i;
/** `git@host:path`, as ssh and scp write it: no scheme, and a colon before the first slash. */
const SCP_LIKE = /^(?:[^/:@]+@)?[^/:]+:(?!\/\/)/;
/** Bytes that Git decodes out of an address again: control characters and the backslash. */
const ENCODED_CONTROL = /%(?:[01][0-9a-f]|7f|5c)/i;

/**
 * Reads the address of a repository; contacts nothing and looks at no folder.
 * @throws HubError REPOSITORY_URL_REFUSED with the reason and, where there is one, what to write instead.
 */
export function readRepositoryUrl(text: string): RepositoryAddress {
  refuseUnsafe(text);
  const url = new URL(text);
  const { protocol, pathname } = url;
  if (protocol !== "https:" && protocol !== "ssh:" && protocol !== "file:") {
    const instead = protocol === "http:" || protocol === "git:" ? "Nobody can trust what comes unencrypted. " : "";
    throw refused(`${instead}The hub fetches from https://, ssh:// and file:// addresses, not from ${protocol}//.`);
  }
  if (url.password !== "") throw refused("It holds a password, which everybody who reads the address would have.");
  if (/^\/*[-]/.test(pathname)) throw refused("Its path begins with a dash, as an option does.");
  if (protocol === "file:") return fileAddress(url);
  if (/^\/*$/.test(pathname)) throw refused("It names no repository: there is no path behind the host.");
  const host = readHost(decodeURIComponent(url.hostname));
  if (host === undefined || /^[-_]/.test(host.name)) throw refused("Its host is no name or address of one.");
  if (url.port === "0") throw refused("Its port is 0.");
  return protocol === "https:" ? httpsAddress(url, host.name) : sshAddress(url, host.name);
}

/** What no address may have, whatever its scheme; after this it is a URL. */
function refuseUnsafe(text: string): void {
  if (text.length > LONGEST) throw refused(`It is longer than ${LONGEST} characters.`);
  if (/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) throw refused("It holds spaces or control characters.");
  if (text.startsWith("-")) throw refused("It begins with a dash, as an option does.");
  if (text.includes("::")) {
    // an IPv6 address has two colons too, in brackets
    if (/^[^/[]*::/.test(text)) throw refused("`helper::address` would run a program; that is off.");
  }
  if (text.includes("\\") || ENCODED_CONTROL.test(text)) throw refused("It holds a backslash or a control character.");
  if (/[?#]/.test(text)) throw refused("It has a query or a fragment, which addresses of repositories do not.");
  if (SCP_LIKE.test(text)) throw refused("Write ssh://user@host/path instead of user@host:path.");
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw refused("It is no URL: write https://host/path, ssh://user@host/path or file:///folder.");
  }
  if (!URL.canParse(text)) throw refused("It is no well-formed URL.");
}

function httpsAddress(url: URL, host: string): RepositoryAddress {
  if (url.username !== "") throw refused("It names a user; credentials are no part of an address.");
  return { scheme: "https", url: `https://${hostAndPort(url, host)}${url.pathname}`, host };
}

function sshAddress(url: URL, host: string): RepositoryAddress {
  const { username } = url;
  if (username !== "" && !SSH_USER.test(username)) {
    throw refused("Its user has characters other than letters, digits, dot, dash and underscore, or begins with one.");
  }
  if (url.port === "22") url.port = "";
  const user = username === "" ? "" : `${username}@`;
  const port = url.port === "" ? 22 : Number(url.port);
  return { scheme: "ssh", url: `ssh://${user}${hostAndPort(url, host)}${url.pathname}`, host, port };
}

function fileAddress(url: URL): RepositoryAddress {
  if (url.host !== "") throw refused("A file address names no host: write file:///folder.");
  let folder: string;
  try {
    folder = fileURLToPath(url);
  } catch (cause) {
    throw refused("Its path cannot be read.", cause);
  }
  return { scheme: "file", url: pathToFileURL(folder).href, folder };
}

function hostAndPort(url: URL, host: string): string {
  return hostForUrl(host) + (url.port === "" ? "" : `:${url.port}`);
}

export function refused(reason: string, cause?: unknown): HubError {
  return new HubError("REPOSITORY_URL_REFUSED", `This address is refused. ${reason}`, { path: "url", cause });
}

/** As `git check-ref-format --branch` has it, without its shorthands. */
const NOT_A_BRANCH = /[\p{Cc}\p{Cf}\s~^:?*[\\]|\.\.|@\{|^[-/]|^@$|^HEAD$|\/\/|[/.]$|\.lock(?:\/|$)|(?:^|\/)\./u;

/** @throws HubError INPUT_INVALID where it can be no branch's name, or would read as an option. */
export function checkBranchName(branch: string): void {
  if (branch !== "" && branch.length <= 255 && !NOT_A_BRANCH.test(branch)) return;
  throw new HubError("INPUT_INVALID", "This is not the name of a branch, such as main or release/2.", {
    path: "branch",
  });
}

/** `host`, or `host:port` where that is not the scheme's own port; undefined for a folder. */
export function hostOfAddress(address: RepositoryAddress): string | undefined {
  return address.scheme === "file" ? undefined : new URL(address.url).host;
}
