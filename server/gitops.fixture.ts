/** For tests of Git and the fleet through a whole hub: repositories, and the calls that people and agents make. */
import { join } from "node:path";
import { syncRunView, type SyncRunView } from "../contracts/gitops/sync-run.ts";
import { eventually, type TestHub, TestHubs } from "./test-hub.ts";
import { TestRepository } from "./test-repository.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

/** A small fleet under names of its own: a module, a template, a provider config and an assignment. */
export function fleetFile(name: string, { version = "1.0.0", replicas = 2, more = "" } = {}): string {
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
assignments:
  - name: ${name}-prod
    spec:
      template: ${name}-web
      provider: ${name}-edge
      selector: { env: prod }
      parameters: { replicas: ${replicas} }
${more}`;
}

/** A repository whose `fleet.yaml` declares a fleet of its own. */
export class FleetRepository extends TestRepository {
  readonly name: string;

  constructor(folder: string, name: string) {
    super(folder);
    this.name = name;
  }

  commitFleet(options: Parameters<typeof fleetFile>[1] = {}, subject = "a change"): string {
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

  get ada() {
    return this.hubs.ada;
  }

  get roots(): string {
    return join(this.hubs.home, "repositories");
  }

  /** Made, and registered under the same name; empty. */
  async repository(name: string): Promise<FleetRepository> {
    const made = new FleetRepository(join(this.roots, name), name);
    await this.ada.run(this.hub, "system_gitops_register_repository", { name, url: made.url });
    return made;
  }

  /** Begins a sync and waits for its end. */
  async sync(repository: string, more: Readonly<Record<string, unknown>> = {}, hub = this.hub): Promise<SyncRunView> {
    const { run } = await this.ada.run(hub, "system_gitops_sync_repository", { repository, ...more });
    return this.ended((run as SyncRunView).id, hub);
  }

  ended(runId: string, hub = this.hub): Promise<SyncRunView> {
    return eventually(`end of the sync ${runId}`, async () => {
      const { output } = await this.ada.operator(hub).done("system_gitops_get_sync_run", { runId });
      const run = syncRunView.parse(output["run"]);
      return run.status === "pending" ? undefined : run;
    });
  }

  /** Asks for it, signs, waits for the result. */
  apply(proposalId: string, more: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> {
    return this.ada.run(this.hub, "system_gitops_apply_proposal", { proposalId, ...more });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hubs[Symbol.asyncDispose]();
  }
}

export async function gitopsFixture(env: NodeJS.ProcessEnv = {}): Promise<GitopsFixture> {
  const hubs = await TestHubs.open();
  const roots = join(hubs.home, "repositories");
  const hub = await hubs.start({ COUNTERSIGN_GIT_FILE_ROOTS: roots, ...env });
  return new GitopsFixture(hubs, hub);
}
