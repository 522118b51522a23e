/** One conversation of Git with one repository: a folder for it, its settings, and the only way out of the machine. */
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { GitLogin } from "../../domain/gitops/git-mirror.ts";
import { HubError } from "../../errors.ts";
import type { Egress } from "../egress/egress.ts";
import { hostForUrl } from "../egress/host-name.ts";
import { proxyCommand } from "../egress/proxy-command.ts";
import { openTunnel, type Tunnel } from "../egress/tunnel.ts";
import { openFileSource } from "./file-source.ts";
import { type GitSettings, writeGitSettings } from "./git-settings.ts";
import { type RepositoryAddress, readRepositoryUrl } from "./repository-url.ts";
import type { GitPlace } from "./run-git.ts";
import { sshConfig } from "./ssh-settings.ts";

/** What all jobs of a hub share. */
export interface JobOptions {
  readonly egress: Egress;
  readonly caFile: string | undefined;
  readonly searchPath: string;
  readonly maxBytes: number;
}

export interface JobRequest {
  /** Where ssh keeps the server's key from the first contact on. */
  readonly knownHosts: string;
  /** It is in the job's folder for as long as that is there. */
  readonly login: GitLogin | undefined;
  readonly signal: AbortSignal;
}

export interface Job extends GitPlace, AsyncDisposable {
  /** What Git is to be given for the repository. */
  readonly url: string;
  readonly tunnel: Tunnel | undefined;
}

/** Bytes for handshakes and lists of branches, beside what is fetched. */
const OVERHEAD = 8 * 1024 * 1024;

/**
 * @param beside the folder is made there, with this beginning of its name
 */
export async function openJob(
  address: RepositoryAddress,
  beside: string,
  { knownHosts, login, signal }: JobRequest,
  options: JobOptions,
): Promise<Job> {
  const folder = await mkdtemp(beside);
  const stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  try {
    await mkdir(join(folder, "home"), { mode: 0o700 });
    const tunnel =
      address.scheme === "file"
        ? undefined
        : stack.use(await openTunnel(options.egress, { maxBytes: options.maxBytes + OVERHEAD, signal }));
    const { url, settings } = await reach(address, tunnel, { folder, knownHosts, login }, options.caFile);
    const env = await writeGitSettings(folder, { scheme: address.scheme, ...settings }, options.searchPath);
    const held = stack.move();
    const withheld = login !== undefined;
    return { folder, env, signal, url, tunnel, withheld, [Symbol.asyncDispose]: () => held.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function reach(
  address: RepositoryAddress,
  tunnel: Tunnel | undefined,
  { folder, knownHosts, login }: Omit<JobRequest, "signal"> & { readonly folder: string },
  caFile: string | undefined,
): Promise<{ url: string; settings: GitSettings }> {
  if (address.scheme === "file" || tunnel === undefined) {
    if (address.scheme !== "file") throw new Error("only folders are reached without a tunnel");
    const gitFolder = await openFileSource(address);
    return { url: fileUrl(gitFolder), settings: { trusted: [address.folder, gitFolder] } };
  }
  refuseUnfit(address.scheme, login);
  if (address.scheme === "https") {
    const proxy = `http://${tunnel.credential}@127.0.0.1:${tunnel.port}`;
    return { url: address.url, settings: { proxy, caFile, ...(login && { login: basicLogin(address.url, login) }) } };
  }
  const target = `${hostForUrl(address.host)}:${address.port}`;
  const command = await proxyCommand(tunnel, target, join(folder, "tunnel.json"));
  const config = join(folder, "ssh_config");
  const keyFile = join(folder, "key");
  if (login) await writeKey(keyFile, login.secret);
  const ssh = login && { keyFile, user: login.username };
  await writeFile(config, sshConfig(command, knownHosts, ssh), { mode: 0o600 });
  return { url: address.url, settings: { sshCommand: `ssh -F '${config.replaceAll("'", String.raw`'\''`)}'` } };
}

/** Which kind of login each way to a server takes. */
export const LOGIN_KINDS = { https: "git-https", ssh: "ssh-key" } as const;

function refuseUnfit(scheme: "https" | "ssh", login: GitLogin | undefined): void {
  if (!login || login.kind === LOGIN_KINDS[scheme]) return;
  const sentence = `A credential of the kind ${login.kind} does not go with an ${scheme} address.`;
  throw new HubError("CREDENTIAL_SCOPE_REFUSED", sentence);
}

function basicLogin(url: string, { username = "", secret }: GitLogin) {
  const both = Buffer.concat([Buffer.from(`${username}:`), secret]);
  const login = { origin: new URL(url).origin, basic: both.toString("base64") };
  both.fill(0);
  return login;
}

/** ssh reads no key whose last line has no end. */
async function writeKey(file: string, secret: Buffer): Promise<void> {
  await writeFile(file, secret, { mode: 0o600, flag: "wx" });
  if (secret.at(-1) !== 0x0a) await appendFile(file, "\n");
}

function fileUrl(folder: string): string {
  return readRepositoryUrl(`file://${encodeURI(folder).replaceAll("#", "%23").replaceAll("?", "%3F")}`).url;
}
