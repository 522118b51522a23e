/** For tests of stored credentials through a whole hub: a Git server that wants a login, and a person who gives secrets. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CredentialClaim, CredentialView } from "../contracts/credentials/credential.ts";
import { ScratchRepository } from "../scripts/scratch-repository.ts";
import { type GitServer, makeCertificate, serveRepositories } from "./adapters/git/source.fixture.ts";
import { fleetFile, GitopsFixture } from "./gitops.fixture.ts";
import type { TestHub } from "./test-hub.ts";

export const USER = "robot";
export const PASSWORD = "correct-horse-battery-1";
export const TOKEN = "token-of-the-api-2";

export interface Stored {
  readonly credential: CredentialView;
  readonly claim: CredentialClaim;
}

interface Made {
  readonly env: NodeJS.ProcessEnv;
  readonly root: string;
  readonly scratch: string;
}

export class CredentialsFixture implements AsyncDisposable {
  readonly git: GitopsFixture;
  readonly server: GitServer;
  /** What a hub is started with, so that it reaches the Git server. */
  readonly env: NodeJS.ProcessEnv;
  readonly #root: string;
  readonly #scratch: string;

  constructor(git: GitopsFixture, server: GitServer, { env, root, scratch }: Made) {
    this.git = git;
    this.server = server;
    this.env = env;
    this.#root = root;
    this.#scratch = scratch;
  }

  static async open(env: NodeJS.ProcessEnv = {}): Promise<CredentialsFixture> {
    const scratch = mkdtempSync(join(tmpdir(), "countersign-private-"));
    const root = join(scratch, "root");
    mkdirSync(root);
    const certificate = makeCertificate(scratch);
    const server = await serveRepositories(root, certificate, { login: `${USER}:${PASSWORD}`, token: TOKEN });
    const reach = {
      COUNTERSIGN_EGRESS_ALLOW: `localhost:${server.port}`,
      COUNTERSIGN_EGRESS_CA_FILE: certificate.caFile,
    };
    const git = await GitopsFixture.open({ ...reach, ...env });
    return new CredentialsFixture(git, server, { env: reach, root, scratch });
  }

  /** Of the Git server. */
  get host(): string {
    return `localhost:${this.server.port}`;
  }

  /** A repository that the server shows to whoever brings the login; answers with its address. */
  privateRepository(name: string, more: Readonly<Record<string, string | Buffer>> = {}): string {
    const files = { "fleet.yaml": fleetFile(name), ...more };
    new ScratchRepository(join(this.#root, name)).commit(files, "Declare the fleet");
    return `https://${this.host}/private/${name}/.git`;
  }

  input(name: string, more: Readonly<Record<string, unknown>> = {}) {
    return {
      name,
      kind: "git-https",
      description: "reads the fleet",
      username: USER,
      allowedHosts: [this.host],
      consumers: ["gitops"],
      ...more,
    };
  }

  /** Asks for it and signs. */
  async store(name: string, more: Readonly<Record<string, unknown>> = {}): Promise<Stored> {
    return (await this.git.run("system_credentials_store", this.input(name, more))) as unknown as Stored;
  }

  /** Stores it, and a person gives the secret on the claim's page. */
  async ready(name: string, secret = PASSWORD, more: Readonly<Record<string, unknown>> = {}): Promise<Stored> {
    const stored = await this.store(name, more);
    const page = await submit(stored.claim.link, secret);
    assert.equal(page.status, 200, page.text);
    return stored;
  }

  async metadata(name: string): Promise<CredentialView> {
    const { output } = await this.git.operator.done("system_credentials_get_metadata", { name });
    return output["credential"] as CredentialView;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.git[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export async function look(link: string, init: RequestInit = {}): Promise<Page> {
  const response = await fetch(link, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** As a browser sends the page's form. */
export function submit(link: string, secret: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
  return look(link, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams({ secret }).toString(),
  });
}

/** A row of the table as the superuser sees it, to be put back or elsewhere later. */
export async function keptRow(git: GitopsFixture, name: string, accountId = git.hubs.accountId) {
  const [row] = await git.hubs.sql<{ row: Record<string, unknown> }>(
    "select to_jsonb(c) - 'key_version' as row from credential c where name = $1 and account_id = $2",
    [name, accountId],
  );
  assert.ok(row);
  return row.row;
}

/** With the superuser's hands: a row as given, in place of whatever has its id. */
export async function putRow(git: GitopsFixture, row: Readonly<Record<string, unknown>>): Promise<void> {
  const columns = Object.keys(row).filter((name) => name !== "key_version");
  await git.hubs.sql(
    `insert into credential (${columns.join(", ")})
     select ${columns.join(", ")} from jsonb_populate_record(null::credential, $1)
     on conflict (account_id, id) do update set ${columns.map((name) => `${name} = excluded.${name}`).join(", ")}`,
    [JSON.stringify(row)],
  );
}

export const linkOf = (hub: TestHub, code: string): string => hub.at(`/claims/${code}`).href;
