/** For tests of Git and the fleet through a whole hub: repositories, and the calls that people and agents make. */
import { join } from "node:path";
import type { HubClient } from "../cli/hub-client.ts";
import { type DriftReport, driftReport } from "../contracts/gitops/drift-report.ts";
import { type SyncRunView, syncRunView } from "../contracts/gitops/sync-run.ts";
import { ScratchRepository } from "../scripts/scratch-repository.ts";
import { eventually, type TestHub, TestHubs } from "./test-hub.ts";

export const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

interface FleetOptions {
  readonly version?: string;
  readonly replicas?: number;
  /** Leaves the assignment out. */
  readonly bare?: boolean;
  readonly more?: string;
}

/** A small fleet under names of its own: a module, a template, a provider config and an assignment. */
export function fleetFile(name: string, options: FleetOptions = {}): string {
  const { version = "1.0.0", replicas = 2, bare = false, more = "" } = options;
  const assignment = `assignments:
  - name: ${name}-prod
    spec:
      template: ${name}-web
      provider: ${name}-edge
      selector: { env: prod }
      parameters: { replicas: ${replicas} }
`;
  return `apiVersion: countersign/v1
kind: Fleet
modules:
  - name: ${name}-base
    spec: { version: 1.0.0, source: "https://modules.example/base.tgz", digest: "${DIGEST}" }
templates:
  - name: ${name}-web
    labels: { team: edge }
    spec:
      version: ${version}
      modules: [${name}-base]
      parameters:
        replicas: { type: integer, default: 1 }
providerConfigs:
  - name: ${name}-edge
    spec: { driver: kubernetes, endpoint: "https://edge.example", secretRef: edge/token }
${bare ? "" : assignment}${more}`;
}

/** A repository whose `fleet.yaml` declares a fleet of its own. */
export class FleetRepository extends ScratchRepository {
  readonly name: string;

  constructor(folder: string, name: string) {
    super(folder);
    this.name = name;
  }

  commitFleet(options: FleetOptions = {}, subject = "a change"): string {
    return this.commit({ "fleet.yaml": fleetFile(this.name, options) }, subject);
  }
}

export class GitopsFixture implements AsyncDisposable {
  readonly hubs: TestHubs;
  readonly hub: TestHub;

  constructor(hubs: TestHubs, hub: TestHub) {
    this.hubs = hubs;
    this.hub = hub;
  }

  static async open(env: NodeJS.ProcessEnv = {}): Promise<GitopsFixture> {
    const hubs = await TestHubs.open();
    return new GitopsFixture(hubs, await hubs.start(env));
  }

  get ada() {
    return this.hubs.ada;
  }

  get operator(): HubClient {
    return this.ada.operator(this.hub);
  }

  get agent(): HubClient {
    return this.ada.agent(this.hub);
  }

  /** Made, and registered under the same name; empty. */
  async repository(name: string): Promise<FleetRepository> {
    const made = new FleetRepository(join(this.hubs.repositories, name), name);
    await this.register(name, made.url);
    return made;
  }

  register(name: string, url: string, more: Readonly<Record<string, unknown>> = {}) {
    return this.ada.run(this.hub, "system_gitops_register_repository", { name, url, ...more });
  }

  /** Asks for it, signs what needs a signature, waits for the result. */
  run(action: string, input: unknown) {
    return this.ada.run(this.hub, action, input);
  }

  async begin(repository: string, more: Readonly<Record<string, unknown>> = {}, hub = this.hub): Promise<string> {
    const { run } = await this.ada.run(hub, "system_gitops_sync_repository", { repository, ...more });
    return (run as SyncRunView).id;
  }

  /** Begins a sync and waits for its end. */
  async sync(repository: string, more: Readonly<Record<string, unknown>> = {}): Promise<SyncRunView> {
    return this.ended(await this.begin(repository, more));
  }

  ended(runId: string, hub = this.hub): Promise<SyncRunView> {
    return eventually(`end of the sync ${runId}`, async () => {
      const { output } = await this.ada.operator(hub).done("system_gitops_get_sync_run", { runId });
      const run = syncRunView.parse(output["run"]);
      return run.status === "pending" ? undefined : run;
    });
  }

  /** Commits a fleet, syncs it and applies what it proposes. */
  async settle(repository: FleetRepository, options: FleetOptions = {}): Promise<SyncRunView> {
    repository.commitFleet(options);
    const run = await this.sync(repository.name);
    for (const { id } of run.proposals) await this.apply(id);
    return run;
  }

  apply(proposalId: string, more: Readonly<Record<string, unknown>> = {}) {
    return this.run("system_gitops_apply_proposal", { proposalId, ...more });
  }

  drift(repository: string): Promise<DriftReport> {
    return this.operator.output(driftReport, "system_gitops_get_drift_report", { repository });
  }

  async proposal(proposalId: string) {
    const { output } = await this.operator.done("system_gitops_get_proposal", { proposalId });
    return output as {
      proposal: { state: string; reason: string | null; forced: boolean; items: number };
      items: { action: string; kind: string; name: string; words: string; baseVersion: number | null }[];
      moved: { words: string; fields: unknown[] }[];
    };
  }

  /** An object as it is; undefined where there is none. */
  async live(kind: string, name: string) {
    const rows = await this.hubs.sql<{ version: number; owner: string | null; spec: Record<string, unknown> }>(
      "select version, owner, spec from fleet_object where kind = $1 and name = $2 and account_id = $3",
      [kind, name, this.hubs.accountId],
    );
    return rows[0];
  }

  /** Ada changes an object by hand, past Git. */
  async edit(kind: string, name: string, spec: Readonly<Record<string, unknown>>) {
    const found = await this.live(kind, name);
    const { labels } = (await this.operator.done("system_fleet_get_object", { kind, name })).output["object"] as {
      labels: unknown;
    };
    const object = { kind, name, labels, spec: { ...found?.spec, ...spec } };
    return this.run("system_fleet_put_object", { object, expectedVersion: found?.version });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hubs[Symbol.asyncDispose]();
  }
}
