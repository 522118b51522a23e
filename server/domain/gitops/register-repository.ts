import { v7 } from "uuid";
import { allowsConsumer, allowsHost } from "../../../contracts/credentials/allowed-host.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { CredentialReader } from "../credentials/credential-store.ts";
import { findCredential } from "../credentials/find-credential.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { GitMirror } from "./git-mirror.ts";
import type { GitopsReader, GitopsWriter, Repository } from "./gitops-store.ts";
import { GITOPS_CONSUMER, RUN_SUBJECT } from "./targets.ts";

export interface RegisterInput {
  readonly name: string;
  readonly url: string;
  readonly branch: string;
  readonly path: string;
  /** Name of the stored credential that a private repository is fetched with. */
  readonly credential?: string | undefined;
}

interface Rows<G> {
  readonly gitops: G;
  readonly credentials: Pick<CredentialReader, "byName">;
}

/**
 * Nothing is contacted: the first sync tells whether it can be. Throws REPOSITORY_URL_REFUSED, INPUT_INVALID (no name of a
 * branch; the credential does not go with such an address), ALREADY_EXISTS, NOT_FOUND (no such credential),
 * CREDENTIAL_SCOPE_REFUSED (it may not be sent there, or not for this repository).
 */
export async function registerRepository(
  tx: Rows<GitopsReader & GitopsWriter> & { readonly events: EventWriter },
  git: GitMirror,
  { credential: named, ...input }: RegisterInput,
  { by, now }: { readonly by: string; readonly now: Date },
): Promise<Repository> {
  const url = await git.checkSource(input);
  await refuseTaken(tx.gitops, input.name);
  const credential = await fitCredential(tx.credentials, git, { url, repository: input.name, named });
  const id = v7();
  const repository: Repository = {
    ...input,
    url,
    id,
    createdBy: by,
    createdAt: now,
    ...(credential && { credential }),
  };
  await tx.gitops.addRepository(repository);
  await tx.events.emit({
    type: "gitops.repository_registered",
    subject: RUN_SUBJECT(input.name),
    data: { branch: input.branch, by },
  });
  return repository;
}

export async function previewRegister(
  { gitops, credentials }: Rows<GitopsReader>,
  git: GitMirror,
  input: RegisterInput,
  asker: string,
): Promise<Preview> {
  const url = await git.checkSource(input);
  await refuseTaken(gitops, input.name);
  const { name: repository, credential: named } = input;
  const credential = await fitCredential(credentials, git, { url, repository, named });
  return {
    headline: `${asker} asks to let a Git repository declare a part of the fleet, as ${input.name}`,
    changes: [
      { field: "url", after: url },
      { field: "branch", after: input.branch },
      { field: "path", after: input.path },
      ...(credential ? [{ field: "fetched with the credential", after: credential.name }] : []),
    ],
  };
}

/** What the repository will be fetched with; each fetch looks again whether it still may. */
async function fitCredential(
  credentials: Pick<CredentialReader, "byName">,
  git: GitMirror,
  { url, repository, named }: { readonly url: string; readonly repository: string; readonly named: string | undefined },
): Promise<{ readonly id: string; readonly name: string } | undefined> {
  if (named === undefined) return undefined;
  const { id, name, kind, allowedHosts, consumers } = await findCredential(credentials, named, "credential");
  const place = git.loginPlace(url);
  const path = "credential";
  if (place?.kind !== kind) {
    const wanted = place ? `a credential of the kind ${place.kind}` : "no credential";
    throw new HubError("INPUT_INVALID", `credential: this address goes with ${wanted}, and ${name} is a ${kind}.`, {
      path,
    });
  }
  const consumer = GITOPS_CONSUMER(repository);
  const refusal = !allowsHost(kind, allowedHosts, place.host)
    ? `may not be sent to ${place.host}`
    : !allowsConsumer(consumers, consumer)
      ? `may not be used by ${consumer}`
      : undefined;
  if (refusal === undefined) return { id, name };
  throw new HubError("CREDENTIAL_SCOPE_REFUSED", `${name} ${refusal}; two people can widen that.`, { path });
}

async function refuseTaken(gitops: GitopsReader, name: string): Promise<void> {
  if (!(await gitops.repository(name))) return;
  throw new HubError("ALREADY_EXISTS", `There is a repository ${name} already.`, { path: "name" });
}
