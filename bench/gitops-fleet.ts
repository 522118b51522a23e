import { stringify } from "yaml";
import { FLEET_LISTS, type FleetList } from "../contracts/gitops/fleet-document.ts";
import type { FleetFile } from "../server/domain/gitops/read-fleet-file.ts";
import { readDesiredState } from "../server/domain/gitops/read-fleet-file.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const HEAD = { apiVersion: "countersign/v1", kind: "Fleet" };

export interface FleetSize {
  readonly objects: number;
  readonly files: number;
}

type Entry = readonly [list: FleetList, entry: object];

/**
 * A fleet of all kinds, in files that the root includes: of twenty objects one is a template, one a provider config, two
 * are modules and sixteen assignments. `round` stands in a field of every object: the next round changes each of them.
 */
export function fleetFiles(name: string, { objects, files }: FleetSize, round: number): FleetFile[] {
  const entries = Array.from({ length: objects }, (_, i) => entryOf(name, i, round));
  const included = Array.from({ length: files }, (_, file) => ({
    path: `fleet/part-${String(file).padStart(2, "0")}.yaml`,
    text: stringify({ ...HEAD, ...listsOf(entries.filter((_entry, i) => i % files === file)) }),
  }));
  return [{ path: "fleet.yaml", text: stringify({ ...HEAD, include: ["fleet/*.yaml"] }) }, ...included];
}

function listsOf(entries: readonly Entry[]): Partial<Record<FleetList, object[]>> {
  const lists = Object.keys(FLEET_LISTS) as FleetList[];
  return Object.fromEntries(
    lists.map((list) => [list, entries.filter(([of]) => of === list).map(([, entry]) => entry)]),
  );
}

function entryOf(prefix: string, i: number, round: number): Entry {
  const group = Math.floor(i / 20);
  const named = (what: string, of: number | string) => `${prefix}-${what}-${of}`;
  const frame = (name: string) => ({
    name,
    labels: { team: `team-${group % 7}`, "example.com/tier": i % 3 ? "web" : "data" },
    annotations: { "example.com/round": String(round) },
  });
  switch (i % 20) {
    case 0:
      return [
        "templates",
        {
          ...frame(named("template", group)),
          spec: {
            version: "1.4.0",
            description: "A service with its replicas and its tier.",
            modules: [named("module", `${group}-1`), named("module", `${group}-2`)],
            parameters: {
              replicas: { type: "integer", required: true },
              size: { type: "string", default: "small", enum: ["small", "medium", "large"] },
              debug: { type: "boolean", default: false },
            },
          },
        },
      ];
    case 1:
    case 2:
      return [
        "modules",
        {
          ...frame(named("module", `${group}-${i % 20}`)),
          spec: { version: "2.0.1", source: "https://modules.example/service.tgz", digest: DIGEST },
        },
      ];
    case 3:
      return [
        "providerConfigs",
        {
          ...frame(named("provider", group)),
          spec: { driver: "kubernetes", endpoint: "https://cluster.example/", secretRef: "clusters/token" },
        },
      ];
    default:
      return [
        "assignments",
        {
          ...frame(named("assignment", i)),
          spec: {
            template: named("template", group),
            provider: named("provider", group),
            selector: { env: "prod", region: `region-${i % 5}` },
            parameters: { replicas: (i % 9) + 1, size: "medium" },
          },
        },
      ];
  }
}

/** What the files declare, and the same fleet as the hub would hold it. */
export function declaredAndLive(repository: string, files: readonly FleetFile[]) {
  const declared = readDesiredState(files).objects;
  const at = new Date(0).toISOString();
  const live = new Map(
    declared.map(({ object }) => {
      const frame = { version: 1, owner: repository, createdAt: at, updatedAt: at, updatedBy: "somebody" };
      return [`${object.kind}/${object.name}`, { ...object, ...frame }];
    }),
  );
  return { declared, live };
}
